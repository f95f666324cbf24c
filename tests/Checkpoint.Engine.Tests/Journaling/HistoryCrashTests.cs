using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>
/// Invariants 1, 3 and 8 for what is done with a history: whatever a power cut leaves, at any operation of a restore, a prune, an adopt,
/// the next opening finds exactly the old or exactly the new model, and every version that was not pruned can still be reached.
/// </summary>
public sealed class HistoryCrashTests(ITestOutputHelper output)
{
    private const string Home = "/model";
    private readonly CrashingDisk disk = new();

    [Theory]
    [InlineData(FoldWay.Patch, 0, 0)]
    [InlineData(FoldWay.Replace, 0, 1)]
    [InlineData(FoldWay.Patch, 2, 1)]
    [InlineData(FoldWay.Replace, 2, 3)]
    public void Any_crash_of_a_restore_leaves_the_old_or_the_restored_version(FoldWay way, int unfolded, int wanted)
    {
        JournaledModel model = Prepare(folded: 2, unfolded);
        int old = model.Versions.Count - 1;
        bool isDone = false;
        CrashRun run = new(seed: 11, imagesAPoint: 40);
        run.Through(
            disk,
            () =>
            {
                Engine(disk, model).Restore(wanted, null, way, CancellationToken.None);
                isDone = true;
            },
            image =>
            {
                JournaledModel after = On(image.Disk, model);
                using JournalSession session = after.OpenSession();
                Assert.InRange(session.Newest, isDone ? old + 1 : old, old + 1);
                RequireHistory(session, after, [.. model.Versions, model.Versions[wanted]]);
            }
        );
        Require(run, 100);
    }

    [Fact]
    public void Any_crash_of_a_repair_from_a_mirror_leaves_the_newest_version_or_its_damage()
    {
        JournaledModel model = Prepare(folded: 2, unfolded: 0);
        disk.CreateFolder("/mirror");
        new FolderCopy(disk, []).Run(Home, "/mirror", CancellationToken.None);
        disk.FlushFolder("/");
        Chunk chunk = model.Open().Layout[0];
        using (IDiskFile file = disk.Open(chunk.Shard.FilePath, writable: true))
        {
            file.Write([1, 2, 3, 4, 5], chunk.FileOffset);
            file.Flush();
        }

        CrashRun run = new(seed: 12, imagesAPoint: 30);
        run.Through(
            disk,
            () => Engine(disk, model).Restore(null, "/mirror", FoldWay.Patch, CancellationToken.None),
            image =>
            {
                // The repair itself is what brings a crash of it to its end.
                Engine(image.Disk, model).Restore(null, "/mirror", FoldWay.Patch, CancellationToken.None);
                JournaledModel after = On(image.Disk, model);
                Assert.Equal(model.Versions[^1], after.FileChunks());
            }
        );
        Require(run, 100);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Any_crash_of_a_prune_leaves_the_model_and_an_unbroken_run_of_versions(int unfolded)
    {
        JournaledModel model = Prepare(folded: 5, unfolded);
        int newest = model.Versions.Count - 1;
        int firstKept = Math.Min(newest - 1, 6);
        bool isDone = false;
        CrashRun run = new(seed: 13, imagesAPoint: 60);
        run.Through(
            disk,
            () =>
            {
                Engine(disk, model).Prune(keepLast: 2, null, CancellationToken.None);
                isDone = true;
            },
            image =>
            {
                JournaledModel after = On(image.Disk, model);
                using JournalSession session = after.OpenSession();
                Assert.Equal(newest, session.Newest);
                long first = session.Journal.First?.Version ?? 0;
                Assert.InRange(first, isDone ? firstKept : 1, firstKept);
                Assert.Equal(newest - first + 1, session.Journal.Versions.Count);
                RequireHistory(session, after, model.Versions);
            }
        );
        Require(run, 20);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Any_crash_of_an_adopt_leaves_the_old_history_or_the_new_one_and_the_old_journal_somewhere(int unfolded)
    {
        JournaledModel model = Prepare(folded: 2, unfolded);
        byte[][] files = model.FileChunks();
        UInt128 lineage = LineageOf(model);
        string[] deltas = [.. disk.List(model.Paths.Journal)];
        bool isDone = false;
        CrashRun run = new(seed: 14, imagesAPoint: 40);
        run.Through(
            disk,
            () =>
            {
                Engine(disk, model).Adopt(CancellationToken.None);
                isDone = true;
            },
            image =>
            {
                JournaledModel after = On(image.Disk, model);
                using JournalSession session = after.OpenSession();
                bool isNew = session.Lineage != lineage;
                Assert.True(isNew || !isDone, "an adopt that was reported is not there");
                Assert.Equal(isNew ? model.Versions.Count : model.Versions.Count - 1, session.Newest);
                Assert.Equal(files, after.FileChunks());
                string journal = isNew ? $"{after.Paths.Folder}/journal.before-{model.Versions.Count:D10}" : after.Paths.Journal;
                Assert.Equal(deltas, image.Disk.List(journal));
                Assert.Equal(isNew ? files : model.Versions[^1], after.BaselineChunks(session));
            }
        );
        Require(run, 20);
    }

    [Fact]
    public void Any_crash_of_a_copy_leaves_a_whole_copy_or_none_under_its_name()
    {
        JournaledModel model = Prepare(folded: 1, unfolded: 1);
        bool isDone = false;
        CrashRun run = new(seed: 15, imagesAPoint: 40);
        run.Through(
            disk,
            () =>
            {
                Engine(disk, model).RestoreCopy(0, "/copy", null, CancellationToken.None);
                isDone = true;
            },
            image =>
            {
                bool isThere = image.Disk.Stat("/copy") is not null;
                Assert.True(isThere || !isDone, "a copy that was reported is not there");
                if (isThere)
                {
                    Assert.Equal(model.Versions[0], new JournaledModel(image.Disk, "/copy").FileChunks());
                }

                using JournalSession session = On(image.Disk, model).OpenSession();
                RequireHistory(session, On(image.Disk, model), model.Versions);
            }
        );
        Require(run, 100);
    }

    /// <summary>A model's life: syncs that fold and that do not, restores, prunes, each on what the one before left, each interrupted anywhere.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_crash_in_a_long_life_leaves_the_old_or_the_new_version_and_all_that_was_kept(int seed)
    {
        JournaledModel model = Prepare(folded: 1, unfolded: 0);
        Random random = new(seed);
        CrashRun run = new(seed, imagesAPoint: 5);
        List<byte[][]> versions = [.. model.Versions];
        for (int i = 0; i < 12; i++)
        {
            int before = versions.Count - 1;
            bool isDone = false;
            Action step = NextStep(random, model, versions);
            run.Through(
                disk,
                () =>
                {
                    step();
                    isDone = true;
                },
                image =>
                {
                    JournaledModel after = On(image.Disk, model);
                    using JournalSession session = after.OpenSession();
                    Assert.InRange(session.Newest, isDone ? versions.Count - 1 : before, versions.Count - 1);
                    RequireHistory(session, after, versions);
                }
            );
        }

        Require(run, 500);
    }

    /// <summary>What comes next; the version that it makes is known before, so that images of the middle can be judged.</summary>
    private Action NextStep(Random random, JournaledModel model, List<byte[][]> versions)
    {
        FoldWay way = random.Next(2) == 0 ? FoldWay.Patch : FoldWay.Replace;
        switch (random.Next(6))
        {
            case 0:
                return () => Engine(disk, model).Prune(random.Next(2, 5), null, CancellationToken.None);
            case 1:
                int wanted = (int)Oldest(model) + random.Next(versions.Count - (int)Oldest(model));
                if (!versions[wanted].Zip(versions[^1]).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)))
                {
                    versions.Add(versions[wanted]);
                }

                return () => Engine(disk, model).Restore(wanted, null, way, CancellationToken.None);
            case 2:
                return () =>
                {
                    using JournalSession session = model.OpenSession();
                    session.Fold(way, CancellationToken.None);
                };
            default:
                byte[][] next = model.Change(random.Next(), random.Next(3) == 0 ? ["b"] : []);
                versions.Add(next);
                bool isFolded = random.Next(2) == 0;
                return () =>
                {
                    using JournalSession session = model.OpenSession();
                    model.Sync(session, next, isFolded ? way : null);
                };
        }
    }

    private JournaledModel Prepare(int folded, int unfolded)
    {
        JournaledModel model = JournaledModel.Create(disk, Home);
        model.Options = model.Options with { RedoSliceBytes = 1 };
        for (int i = 1; i <= folded + unfolded; i++)
        {
            using JournalSession session = model.OpenSession();
            model.Sync(session, model.Change(i, i % 2 == 0 ? ["a", "d"] : []), i <= folded ? FoldWay.Auto : null);
        }

        return model;
    }

    private void Require(CrashRun run, int least)
    {
        output.WriteLine(run.ToString());
        Assert.InRange(run.Images, least, int.MaxValue);
    }

    private static HistoryEngine Engine(CrashingDisk disk, JournaledModel model) => new(Home, options: model.Options, disk: disk);

    private static JournaledModel On(CrashingDisk disk, JournaledModel model) => new(disk, Home) { Options = model.Options };

    private static UInt128 LineageOf(JournaledModel model)
    {
        using JournalSession session = model.OpenSession();
        return session.Lineage;
    }

    private static long Oldest(JournaledModel model)
    {
        using JournalSession session = model.OpenSession();
        return session.Journal.First?.Parent ?? session.Newest;
    }

    /// <summary>Every version from the oldest on can be made from what is there, and the files hold one version.</summary>
    private static void RequireHistory(JournalSession session, JournaledModel model, IReadOnlyList<byte[][]> versions)
    {
        byte[][] files = model.FileChunks();
        Assert.Equal(versions[(int)session.FilesVersion], files);
        using IChunkCodec codec = session.Options.Codec();
        for (long version = session.Journal.First?.Parent ?? session.Newest; version <= session.Newest; version++)
        {
            using VersionWalk walk = new(session, version);
            for (int ordinal = 0; ordinal < files.Length; ordinal++)
            {
                byte[] bytes = [.. files[ordinal]];
                walk.Bring(session.Layout[ordinal], bytes, codec);
                Assert.True(bytes.AsSpan().SequenceEqual(versions[(int)version][ordinal]), $"chunk {ordinal} of version {version}");
            }
        }
    }
}
