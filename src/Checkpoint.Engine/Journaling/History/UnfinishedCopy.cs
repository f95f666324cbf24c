using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>
/// The folder OUTPUT.restoring, in which a copy is written before it gets its name. A mark in it says that a restore began it, and the
/// lock on the mark that one is at it still: so the next restore clears away what a dead one left, and never anything else.
/// </summary>
internal sealed class UnfinishedCopy : IDisposable
{
    /// <summary>Suffix of the copy while it is written.</summary>
    internal const string Suffix = ".restoring";

    /// <summary>Name of the mark. A crash right after the copy got its name leaves it there: an empty file that means nothing.</summary>
    internal const string Mark = ".apollo-restoring";

    private readonly IDisk disk;
    private readonly IDisposable held;
    private readonly string parent;

    private UnfinishedCopy(IDisk disk, string folder, string parent, IDisposable held)
    {
        this.disk = disk;
        this.held = held;
        this.parent = parent;
        Folder = folder;
    }

    /// <summary>Where the copy is written: empty but for the mark.</summary>
    internal string Folder { get; }

    /// <summary>What stands in the way of beginning a copy, or null.</summary>
    internal static string? Obstacle(IDisk disk, string target)
    {
        string folder = target + Suffix;
        return disk.Stat(folder) switch
        {
            null => null,
            { Kind: FileEntryKind.Folder } when IsOurs(disk.List(folder)) => null,
            _ => $"cannot be made: {folder} is in the way, and no restore began it",
        };
    }

    /// <summary>Makes the folder, or takes over the one that a dead restore left and clears it.</summary>
    /// <exception cref="CheckpointException">Locked: another restore is writing there. 15xx.</exception>
    internal static UnfinishedCopy Begin(IDisk disk, string target)
    {
        string folder = target + Suffix;
        string parent = Path.GetDirectoryName(target) ?? "/";
        disk.CreateFolder(folder);
        disk.FlushFolder(parent);
        IDisposable held =
            disk.TryLock(Path.Combine(folder, Mark), shared: false)
            ?? throw new CheckpointException(
                CheckpointError.Locked,
                $"another restore is writing {target} (it holds {Path.Combine(folder, Mark)})",
                "wait for it to end, or name another directory"
            );
        UnfinishedCopy copy = new(disk, folder, parent, held);
        try
        {
            copy.Clear(folder);
            // The mark is durable before anything that it speaks for.
            disk.FlushFolder(folder);
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    /// <summary>The whole and durable copy gets its name, in the place of nothing or of an empty folder.</summary>
    internal void GiveName(string target)
    {
        if (disk.Stat(target) is null)
        {
            disk.RenameNew(Folder, target);
        }
        else
        {
            disk.Rename(Folder, target);
        }

        disk.FlushFolder(parent);
        disk.Delete(Path.Combine(target, Mark));
        disk.FlushFolder(target);
    }

    /// <summary>Gives the copy up while another failure is on its way out; what cannot be removed is left to the next restore.</summary>
    internal void Abandon()
    {
        try
        {
            Clear(Folder);
            disk.Delete(Path.Combine(Folder, Mark));
            disk.DeleteFolder(Folder);
        }
        catch (Exception e) when (e is CheckpointException or IOException)
        {
            // The failure that led here is the one to report.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => held.Dispose();

    private static bool IsOurs(IReadOnlyList<string> names) => names.Count == 0 || names.Contains(Mark);

    private void Clear(string folder)
    {
        foreach (
            string path in disk.List(folder).Where(name => folder != Folder || name != Mark).Select(name => Path.Combine(folder, name))
        )
        {
            if (disk.Stat(path)?.Kind == FileEntryKind.Folder)
            {
                Clear(path);
                disk.DeleteFolder(path);
            }
            else
            {
                disk.Delete(path);
            }
        }
    }
}
