using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>Makes our folder in a model directory, durably, and only where the file system keeps its promises.</summary>
internal static class StateFolder
{
    /// <summary>Creates what is missing and makes the names durable, parents included.</summary>
    /// <exception cref="CheckpointException">FileSystemUnfit, DiskReadOnly, DiskFull, DiskWriteFailed.</exception>
    internal static void Prepare(IDisk disk, StatePaths paths, bool allowUnfit)
    {
        bool isNew = disk.Stat(paths.Folder) is null;
        if (isNew && !allowUnfit && disk.UnfitReason(paths.Model) is { } reason)
        {
            throw Unfit($"{paths.Model}: {reason}, on which a flush or a lock may not mean what it says");
        }

        if (!isNew && disk.Stat(paths.Folder) is not { Kind: FileEntryKind.Folder })
        {
            throw Unfit($"{paths.Folder} is not a folder");
        }

        bool isComplete = !isNew && disk.Stat(paths.Journal) is not null && disk.Stat(paths.Redo) is not null;
        if (isComplete)
        {
            return;
        }

        disk.CreateFolder(paths.Folder);
        disk.CreateFolder(paths.Journal);
        disk.CreateFolder(paths.Redo);
        disk.FlushFolder(paths.Journal);
        disk.FlushFolder(paths.Redo);
        disk.FlushFolder(paths.Folder);
        disk.FlushFolder(paths.Model);
        ProbeLocks(disk, paths);
    }

    /// <summary>Two holders at once would be no lock. Some network and user-space file systems say yes to everybody.</summary>
    private static void ProbeLocks(IDisk disk, StatePaths paths)
    {
        using IDisposable? first = disk.TryLock(paths.ShardsLock, shared: false);
        using IDisposable? second = first is null ? null : disk.TryLock(paths.ShardsLock, shared: false);
        if (second is not null)
        {
            throw Unfit($"{paths.Folder}: its file system gives the same lock to two holders");
        }
    }

    private static CheckpointException Unfit(string what) =>
        new(
            CheckpointError.FileSystemUnfit,
            what,
            "keep the model on a local file system (ext4, xfs, btrfs); to insist: --allow-unfit-file-system"
        );
}
