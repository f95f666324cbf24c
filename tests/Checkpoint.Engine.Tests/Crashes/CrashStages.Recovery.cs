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

    /// <summary>The recovery of a sync that was killed right after the first operation of a kind.</summary>
    internal static CrashStage Killed(FoldWay way, Func<DiskOperation, bool> isLast)
    {
        CrashStage stage = CommitAndFold(way, waiting: 1);
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
        next.Act = () =>
        {
            next.Recover(next.Disk);
            next.Promised = NewestOf(next.Model);
        };
        return next;
    }

    /// <summary>Nothing but the journal says what the shards hold.</summary>
    internal static CrashStage Rebuild()
    {
        CrashStage stage = Journaled(folded: 2, waiting: 1);
        foreach (string path in new[] { stage.Model.Paths.Digests, stage.Model.Paths.State })
        {
            stage.Disk.Delete(path);
        }

        stage.Disk.FlushFolder(stage.Model.Paths.Folder);
        stage.Act = () => stage.Recover(stage.Disk);
        return stage;
    }

    private static long NewestOf(JournaledModel model)
    {
        using JournalSession session = model.OpenSession();
        return session.Newest;
    }
}
