using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Recovering;

/// <summary>What the next recovery would have to do, for commands that only read: they say "pending" and write nothing.</summary>
internal static class PendingWork
{
    /// <summary>Whether a shard is being replaced or patched, or was when a fold was cut off; asked under the shards' lock, it was.</summary>
    internal static bool IsHalfFolded(IDisk disk, ModelLayout layout, StatePaths paths) =>
        layout.Shards.Any(shard =>
            disk.Stat(paths.RedoOf(shard.FileName)) is not null || disk.Stat(paths.FoldingOf(shard.FileName)) is not null
        );

    /// <summary>One sentence each; empty when nothing is unfinished. Takes no lock, so a running sync shows too.</summary>
    internal static IReadOnlyList<string> Peek(IDisk disk, ModelLayout layout, StatePaths paths)
    {
        List<string> pending = [];
        if (disk.Stat(paths.WritingDelta) is not null)
        {
            pending.Add("a sync is running, or was interrupted before its commit");
        }

        foreach (string name in layout.Shards.Select(shard => shard.FileName))
        {
            if (disk.Stat(paths.FoldingOf(name)) is not null)
            {
                pending.Add($"{name} is being replaced, or was when a fold was interrupted");
            }

            if (disk.Stat(paths.RedoOf(name)) is not null)
            {
                pending.Add($"{name} is being patched, or was when a fold was interrupted: its bytes are not of one version");
            }
        }

        long newest = disk.List(paths.Journal).Select(StatePaths.VersionOf).Max() ?? 0;
        if (ModelState.TryRead(disk, paths.State) is { } state && newest > state.Newest)
        {
            pending.Add($"version {newest} was committed and is not noted yet");
        }

        return pending;
    }
}
