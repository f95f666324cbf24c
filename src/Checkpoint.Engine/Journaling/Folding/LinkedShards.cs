using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>Shards that are links: writing through one would change the file in a hub cache, for every model that shares it.</summary>
internal static class LinkedShards
{
    /// <summary>Refuses a model with linked shards, before any work is done for it.</summary>
    /// <exception cref="CheckpointException">ShardLinked.</exception>
    internal static void Refuse(ModelLayout layout)
    {
        if (layout.Shards.FirstOrDefault(shard => shard.LinkProblem is not null) is { } linked)
        {
            throw Refused(linked);
        }
    }

    /// <summary>The error.</summary>
    internal static CheckpointException Refused(Shard shard) =>
        new(
            CheckpointError.ShardLinked,
            $"shard {shard.FileName} {shard.LinkProblem}: writing it would change the file behind it",
            "copy the model into a directory of its own; or put private files in the links' places: --replace-links"
        );
}
