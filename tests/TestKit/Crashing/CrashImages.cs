using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>
/// The disks that a power cut could leave at this moment: any changes of names that do not stand on a lost one, any values of unflushed
/// sectors, any length the file had since its flush. All of them when they are few, else a seeded sample.
/// </summary>
public static class CrashImages
{
    /// <summary>At most so many changes of names are tried in all combinations.</summary>
    private const int MaxEnumeratedChanges = 10;

    /// <summary>The images of a disk as it is now. Two of them may be equal: compare their hashes.</summary>
    /// <param name="disk">The disk that crashes; it is not changed and may go on.</param>
    /// <param name="random">Seeded source of the sample.</param>
    /// <param name="most">Images at most; the sample always begins with everything lost and everything kept (the process died, the disk did not).</param>
    public static IEnumerable<CrashImage> Of(CrashingDisk disk, Random random, int most)
    {
        CrashTree tree = disk.Tree;
        return LegalSetsWhenFew(tree, most) is { } all ? EnumerateAll(tree, all) : Sample(tree, random, most);
    }

    /// <summary>The kept sets when all images together are few enough, else null.</summary>
    private static List<bool[]>? LegalSetsWhenFew(CrashTree tree, int most)
    {
        int count = tree.Pending.Count;
        if (count > MaxEnumeratedChanges)
        {
            return null;
        }

        List<bool[]> sets = [];
        long images = 0;
        for (int bits = 0; bits < 1 << count; bits++)
        {
            bool[] kept = [.. Enumerable.Range(0, count).Select(i => (bits >> i & 1) != 0)];
            if (!IsLegal(tree, kept))
            {
                continue;
            }

            sets.Add(kept);
            images += FilesIn(tree, kept)
                .SelectMany(node => node.Content.Choices)
                .Aggregate(1L, (product, choices) => Math.Min(most + 1L, product * choices));
            if (images > most)
            {
                return null;
            }
        }

        return sets;
    }

    private static IEnumerable<CrashImage> EnumerateAll(CrashTree tree, List<bool[]> sets)
    {
        foreach (bool[] kept in sets)
        {
            List<CrashNode> files = FilesIn(tree, kept);
            Dictionary<CrashNode, int[]> chosen = files.ToDictionary(node => node, node => new int[node.Content.Choices.Count]);
            do
            {
                yield return CrashImage.Make(tree, i => kept[i], node => chosen.GetValueOrDefault(node, []));
            } while (Next(files, chosen));
        }
    }

    /// <summary>Counts on, file by file and question by question; false after the last.</summary>
    private static bool Next(List<CrashNode> files, Dictionary<CrashNode, int[]> chosen)
    {
        foreach (CrashNode node in files)
        {
            int[] digits = chosen[node];
            IReadOnlyList<int> limits = node.Content.Choices;
            for (int i = 0; i < digits.Length; i++)
            {
                if (++digits[i] < limits[i])
                {
                    return true;
                }

                digits[i] = 0;
            }
        }

        return false;
    }

    private static IEnumerable<CrashImage> Sample(CrashTree tree, Random random, int most)
    {
        for (int i = 0; i < most; i++)
        {
            Func<int, int> pick = i switch
            {
                0 => _ => 0,
                1 => choices => choices - 1,
                _ => Mood(random, i),
            };
            bool[] kept = i switch
            {
                0 => new bool[tree.Pending.Count],
                1 => [.. tree.Pending.Select(_ => true)],
                _ => KeepSome(tree, random),
            };
            bool mixed = i > 1 && random.Next(2) == 0;
            yield return CrashImage.Make(
                tree,
                place => kept[place],
                node =>
                {
                    // Each file in a mood of its own half of the time: one flushed by chance, its neighbour not at all.
                    Func<int, int> own = mixed ? Mood(random, i) : pick;
                    return [.. node.Content.Choices.Select(own)];
                }
            );
        }
    }

    /// <summary>
    /// How one crash treats unflushed data: loses all, keeps all, keeps a front or a back part, loses a part in the middle, or throws dice.
    /// The plain ones come early in a sample; of them there are few.
    /// </summary>
    private static Func<int, int> Mood(Random random, int drawn)
    {
        int kind = random.Next(drawn < 60 ? 0 : 4, 7);
        int turn = random.Next(1, 24);
        int length = random.Next(1, 12);
        int seen = 0;
        return kind switch
        {
            0 => _ => 0,
            1 => choices => choices - 1,
            2 => choices => seen++ < turn ? choices - 1 : 0,
            3 => choices => seen++ < turn ? 0 : choices - 1,
            4 => choices => random.Next(8) == 0 ? random.Next(choices) : choices - 1,
            5 => choices => ++seen > turn && seen <= turn + length ? random.Next(choices) : choices - 1,
            _ => random.Next,
        };
    }

    private static bool[] KeepSome(CrashTree tree, Random random)
    {
        int count = tree.Pending.Count;
        int kind = random.Next(4);
        int front = random.Next(count + 1);
        bool[] kept = new bool[count];
        for (int i = 0; i < count; i++)
        {
            bool wanted = kind switch
            {
                0 => true,
                1 => i < front,
                2 => random.Next(2) == 0,
                _ => random.Next(6) > 0,
            };
            kept[i] = wanted && StandsOnKept(tree, kept, i);
        }

        return kept;
    }

    private static bool IsLegal(CrashTree tree, bool[] kept) =>
        Enumerable.Range(0, kept.Length).All(i => !kept[i] || StandsOnKept(tree, kept, i));

    private static bool StandsOnKept(CrashTree tree, bool[] kept, int change) =>
        Enumerable.Range(0, change).All(earlier => kept[earlier] || !tree.Pending[change].StandsOn(tree.Pending[earlier]));

    private static List<CrashNode> FilesIn(CrashTree tree, bool[] kept)
    {
        Dictionary<CrashNode, Dictionary<string, CrashNode>> names = CrashImage.NamesAfter(tree, i => kept[i]);
        return
        [
            .. CrashTree
                .Reachable(tree.Root, node => names.GetValueOrDefault(node, node.DurableNames))
                .Where(node => node.Kind == FileEntryKind.File && node.Content.Choices.Count > 0),
        ];
    }
}
