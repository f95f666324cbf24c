using System.IO.Hashing;
using System.Text;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>One disk that a crash may leave.</summary>
/// <param name="Disk">It, everything on it durable; a test may go on with it as after a reboot.</param>
/// <param name="Hash">xxh3-128 over its paths and bytes: two images with the same hash are the same.</param>
public sealed record CrashImage(CrashingDisk Disk, UInt128 Hash)
{
    /// <summary>The image that is left when the changes and choices given are kept.</summary>
    /// <param name="tree">The disk that crashes.</param>
    /// <param name="kept">Which pending changes of names are kept, by their place in the list.</param>
    /// <param name="choose">The choices for a file, one number for each of its open questions.</param>
    internal static CrashImage Make(CrashTree tree, Func<int, bool> kept, Func<CrashNode, int[]> choose)
    {
        Dictionary<CrashNode, Dictionary<string, CrashNode>> names = NamesAfter(tree, kept);
        XxHash128 hash = new();
        Dictionary<CrashNode, CrashNode> copies = [];
        CrashNode root = Copy(tree.Root, "/", names, choose, copies, hash);
        return new CrashImage(
            new CrashingDisk(new CrashTree(root, tree.LastId) { Variant = tree.Variant }),
            hash.GetCurrentHashAsUInt128()
        );
    }

    /// <summary>The names of every folder when those changes are kept.</summary>
    internal static Dictionary<CrashNode, Dictionary<string, CrashNode>> NamesAfter(CrashTree tree, Func<int, bool> kept)
    {
        Dictionary<CrashNode, Dictionary<string, CrashNode>> names = [];
        Dictionary<string, CrashNode> NamesOf(CrashNode folder)
        {
            if (!names.TryGetValue(folder, out Dictionary<string, CrashNode>? own))
            {
                names[folder] = own = new Dictionary<string, CrashNode>(folder.DurableNames, StringComparer.Ordinal);
            }

            return own;
        }

        for (int i = 0; i < tree.Pending.Count; i++)
        {
            if (kept(i))
            {
                tree.Pending[i].Apply(NamesOf);
            }
        }

        return names;
    }

    private static CrashNode Copy(
        CrashNode node,
        string path,
        Dictionary<CrashNode, Dictionary<string, CrashNode>> names,
        Func<CrashNode, int[]> choose,
        Dictionary<CrashNode, CrashNode> copies,
        XxHash128 hash
    )
    {
        hash.Append(Encoding.UTF8.GetBytes($"{path}\0{node.Kind}\0{node.Target}\0"));
        if (copies.TryGetValue(node, out CrashNode? copy))
        {
            return copy;
        }

        CrashBytes content = node.Kind == FileEntryKind.File ? node.Content.Image(choose(node)) : new CrashBytes([], 0, 0);
        hash.Append(BitConverter.GetBytes(content.Length));
        hash.Append(content.Trimmed);
        copy = new CrashNode(node.Id, node.Kind)
        {
            Mode = node.Mode,
            Target = node.Target,
            ModifiedNs = node.ModifiedNs,
            Content = new CrashContent(content),
        };
        copies[node] = copy;
        copy.BadRanges.AddRange(node.BadRanges);
        foreach (
            (string name, CrashNode child) in names
                .GetValueOrDefault(node, node.DurableNames)
                .OrderBy(row => row.Key, StringComparer.Ordinal)
        )
        {
            CrashNode below = Copy(child, $"{path}{name}/", names, choose, copies, hash);
            copy.Names[name] = below;
            copy.DurableNames[name] = below;
        }

        return copy;
    }
}
