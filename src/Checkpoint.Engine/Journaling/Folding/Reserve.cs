using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>
/// A file of nothing, kept so that a full disk does not stop what would make space again: prune, and folding by patch. It is given up
/// when a write meets the full disk, and made anew when there is space.
/// </summary>
internal static class Reserve
{
    /// <summary>Makes it where it is missing; without space there is none, which is no failure.</summary>
    internal static void TryKeep(IDisk disk, StatePaths paths, ModelLayout layout)
    {
        long size = SizeFor(layout);
        if (disk.Stat(paths.Reserve) is not null || disk.AvailableBytes(paths.Folder) < 4 * size)
        {
            return;
        }

        using IDiskFile file = disk.Create(paths.Reserve);
        try
        {
            file.Allocate(size);
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.DiskFull)
        {
            disk.Delete(paths.Reserve);
        }
    }

    /// <summary>Runs a step that may be run again from its start; meets a full disk by giving the reserve up, once.</summary>
    internal static void Run(IDisk disk, StatePaths paths, Action step)
    {
        try
        {
            step();
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.DiskFull && disk.Stat(paths.Reserve) is not null)
        {
            disk.Delete(paths.Reserve);
            step();
        }
    }

    /// <summary>Bytes: a redo of one chunk, digests and state, each twice, since they are written beside the old ones.</summary>
    private static long SizeFor(ModelLayout layout)
    {
        long chunk = layout.Shards.Count == 0 ? 0 : Math.Min(ChunkLayout.MaxBytes, layout.DataBytes);
        long digests = 16L * layout.ChunkCount + 512L * layout.Shards.Count;
        return 2 * (RedoFormat.OverheadBytes + chunk + digests + (32 << 10));
    }
}
