using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Recovering;

/// <summary>What recovery found a model directory to be, once nothing is unfinished that could be finished.</summary>
internal sealed class OpenedModel : IDisposable
{
    /// <summary>The versions there are.</summary>
    internal required Journal Journal { get; init; }

    /// <summary>What the shards hold, and of which version they are.</summary>
    internal required DigestTable Table { get; init; }

    /// <summary>state.json as it was found, or null.</summary>
    internal required ModelState? State { get; init; }

    /// <summary>
    /// File names of shards whose chunks are not all of one version: a fold was interrupted. Every chunk is of some version from the
    /// shard's on, and its digest tells which.
    /// </summary>
    internal HashSet<string> Mixed { get; } = new(StringComparer.Ordinal);

    /// <summary>Ordinals of chunks that are of no version.</summary>
    internal HashSet<int> Damaged { get; } = [];

    /// <summary>Redo files that could not be applied because readers hold the shards, by shard file name; laid over what is read.</summary>
    internal Dictionary<string, RedoReader> PendingRedo { get; } = new(StringComparer.Ordinal);

    /// <summary>What recovery did, a sentence each.</summary>
    internal List<string> Recovered { get; } = [];

    /// <summary>What the user should know, a sentence each.</summary>
    internal List<string> Warnings { get; } = [];

    /// <summary>Whether the history begins now.</summary>
    internal bool IsFirst { get; init; }

    /// <summary>Whether the table differs from what is in digests.bin.</summary>
    internal bool IsTableNew { get; set; }

    /// <summary>The newest version's number.</summary>
    internal long Newest => Journal.Last?.Version ?? Table.Shards.Max(shard => shard.Version);

    /// <summary>Lays a redo that is not written yet over a chunk's bytes.</summary>
    internal void LayRedoOver(in Chunk chunk, Span<byte> bytes) =>
        PendingRedo.GetValueOrDefault(chunk.Shard.FileName)?.LayOver(chunk, bytes);

    /// <summary>
    /// Writes a pending redo into its shard and makes it durable. The caller holds the shards' lock; the redo file stays until the digests
    /// are saved, and the redo pending until all of it is durable.
    /// </summary>
    /// <returns>What was written and what was not.</returns>
    internal RedoApplication ApplyRedo(IDisk disk, ModelLayout layout, Shard shard, int workers)
    {
        RedoReader redo = PendingRedo[shard.FileName];
        RedoApplication application = new(layout, shard, redo, workers);
        application.Run(disk);
        PendingRedo.Remove(shard.FileName);
        redo.Dispose();
        return application;
    }

    /// <summary>Closes what is open.</summary>
    public void Dispose()
    {
        foreach (RedoReader redo in PendingRedo.Values)
        {
            redo.Dispose();
        }
    }
}
