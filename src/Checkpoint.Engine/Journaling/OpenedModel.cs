namespace ApolloCheckpoint.Engine.Journaling;

/// <summary>What recovery found a model directory to be, once nothing is unfinished that could be finished.</summary>
internal sealed class OpenedModel
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
}
