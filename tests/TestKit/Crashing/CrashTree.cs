using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>The folders and files of a <see cref="CrashingDisk"/>, and the changes of names that are not durable yet, in order.</summary>
internal sealed class CrashTree
{
    private const int MaxLinks = 40;
    private readonly List<NameChange> pending = [];
    private int lastId;

    internal CrashTree(CrashNode? root = null, int lastId = 0)
    {
        this.lastId = lastId;
        Root = root ?? NewFolder();
    }

    /// <summary>Disks of another number have another <see cref="CrashingDisk.ContentHash"/>.</summary>
    internal int Variant { get; set; }

    internal CrashNode Root { get; }

    internal IReadOnlyList<NameChange> Pending => pending;

    internal int LastId => lastId;

    internal CrashNode NewFile(int mode) => new(++lastId, FileEntryKind.File) { Mode = mode };

    internal CrashNode NewFolder() => new(++lastId, FileEntryKind.Folder);

    internal CrashNode NewLink(string target) => new(++lastId, FileEntryKind.Link) { Target = target };

    /// <summary>What stands at the path itself, or null; links on the way are followed.</summary>
    internal CrashNode? Find(string path)
    {
        string full = Path.GetFullPath(path).TrimEnd('/');
        return full.Length == 0 ? Root
            : FindFolder(Path.GetDirectoryName(full) ?? "/") is { } folder ? folder.Names.GetValueOrDefault(Path.GetFileName(full))
            : null;
    }

    /// <summary>The folder at the path, a link to one followed, or null.</summary>
    internal CrashNode? FindFolder(string path)
    {
        CrashNode? node = Find(path);
        if (node?.Kind == FileEntryKind.Link)
        {
            node = Resolve(path) is { } target ? Find(target) : null;
        }

        return node?.Kind == FileEntryKind.Folder ? node : null;
    }

    /// <summary>The end of a chain of links, or null when it leads nowhere.</summary>
    internal string? Resolve(string path)
    {
        string current = Path.GetFullPath(path);
        for (int i = 0; i < MaxLinks && Find(current) is { } node; i++)
        {
            if (node.Kind != FileEntryKind.Link)
            {
                return i == 0 ? null : current;
            }

            current = Path.GetFullPath(node.Target, Path.GetDirectoryName(current) ?? "/");
        }

        return null;
    }

    internal void Change(NameChange change)
    {
        change.Apply(folder => folder.Names);
        pending.Add(change);
    }

    /// <summary>A name that is durable at once.</summary>
    internal void Settle(CrashNode folder, string name, CrashNode node)
    {
        folder.Names[name] = node;
        folder.DurableNames[name] = node;
    }

    /// <summary>Makes the names of a folder durable: a rename between folders only when both were flushed.</summary>
    internal void Flush(CrashNode folder)
    {
        HashSet<NameChange> settled = new(ReferenceEqualityComparer.Instance);
        for (int i = pending.Count - 1; i >= 0; i--)
        {
            NameChange change = pending[i];
            change.Unflushed.Remove(folder);
            // What a settled change stands on is settled with it.
            if (change.Unflushed.Count == 0 || settled.Any(later => later.StandsOn(change)))
            {
                settled.Add(change);
            }
        }

        foreach (NameChange change in pending.Where(settled.Contains))
        {
            change.Apply(node => node.DurableNames);
        }

        pending.RemoveAll(settled.Contains);
    }

    internal long UsedBytes() =>
        Reachable(Root, node => node.Names).Where(node => node.Kind == FileEntryKind.File).Sum(node => (long)node.Content.Length);

    internal int CountNames(CrashNode node) =>
        node.Kind == FileEntryKind.Folder
            ? 1
            : Reachable(Root, folder => folder.Names)
                .SelectMany(folder => folder.Names.Values)
                .Count(other => ReferenceEquals(other, node));

    internal static IEnumerable<CrashNode> Reachable(CrashNode root, Func<CrashNode, Dictionary<string, CrashNode>> namesOf)
    {
        HashSet<CrashNode> seen = [root];
        Queue<CrashNode> open = new([root]);
        while (open.TryDequeue(out CrashNode? node))
        {
            yield return node;
            foreach (CrashNode child in namesOf(node).Values.Where(seen.Add))
            {
                open.Enqueue(child);
            }
        }
    }
}
