using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Tests.Journaling;
using ApolloCheckpoint.TestKit.Crashing;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>
/// How the rows of <see cref="CrashScenarios"/> that recover are made: a process was killed and the machine runs on, so that what it had
/// not flushed is still only in memory when the next process recovers, and that is interrupted by a power cut.
/// </summary>
internal static partial class CrashStages
{
    internal static bool AfterCommit(DiskOperation operation) =>
        operation is { Kind: DiskOperationKind.Rename } && operation.Path.EndsWith(".delta", StringComparison.Ordinal);

    internal static bool AmidPatch(DiskOperation operation) =>
        operation is { Kind: DiskOperationKind.Write } && operation.Path.EndsWith(".safetensors", StringComparison.Ordinal);

    internal static bool AfterRedoIsNamed(DiskOperation operation) =>
        operation is { Kind: DiskOperationKind.Rename } && operation.Path.EndsWith(".redo", StringComparison.Ordinal);

    internal static bool AmidRenames(DiskOperation operation) =>
        operation is { Kind: DiskOperationKind.Rename } && operation.Path.EndsWith(".safetensors", StringComparison.Ordinal);

    internal static bool AfterRenames(DiskOperation operation) =>
        AmidRenames(operation) && operation.Path.EndsWith("model-00002-of-00002.safetensors", StringComparison.Ordinal);

    internal static bool AfterNewDigests(DiskOperation operation) =>
        operation is { Kind: DiskOperationKind.Rename } && operation.Path.EndsWith("digests.bin", StringComparison.Ordinal);

    /// <summary>The recovery of a sync that was killed right after the first operation of a kind.</summary>
    internal static CrashStage Killed(CrashingDisk disk, FoldWay way, Func<DiskOperation, bool> isLast)
    {
        CrashStage next = Killed(CommitAndFold(disk, way, waiting: 1), isLast);
        next.Act = () =>
        {
            using JournalSession session = next.Model.OpenSession();
            next.Promised = session.Newest;
            next.FilesPromised = session.FilesVersion;
        };
        return next;
    }

    /// <summary>The recovery of an adopt that was killed when its digests had their name, and the old journal was where it had been.</summary>
    internal static CrashStage KilledAdopt(CrashingDisk disk)
    {
        CrashStage stage = Adopt(disk, waiting: 2);
        CrashStage next = Killed(stage, AfterNewDigests);
        next.Check = stage.Check;
        next.Act = () => next.Recover(next.Disk);
        return next;
    }

    private static CrashStage Killed(CrashStage stage, Func<DiskOperation, bool> isLast)
    {
        CrashingDisk disk = stage.Disk;
        disk.AfterOperation = operation => disk.DiesAfter ??= isLast(operation) ? operation.Number : null;
        Xunit.Assert.Throws<ProcessDiedException>(stage.Act);
        disk.AfterOperation = null;
        CrashStage next = new(stage.On(disk.Restarted()))
        {
            // Nobody was told of what only the dead process knew.
            Promised = stage.Promised,
            FilesPromised = stage.FilesPromised,
        };
        next.Versions.AddRange(stage.Versions);
        return next;
    }

    /// <summary>Nothing but the journal says what the shards hold.</summary>
    internal static CrashStage Rebuild(CrashingDisk disk)
    {
        CrashStage stage = Journaled(disk, folded: 2, waiting: 1);
        foreach (string path in new[] { stage.Model.Paths.Digests, stage.Model.Paths.State })
        {
            stage.Disk.Delete(path);
        }

        stage.Disk.FlushFolder(stage.Model.Paths.Folder);
        stage.Act = () => stage.Recover(stage.Disk);
        return stage;
    }
}
