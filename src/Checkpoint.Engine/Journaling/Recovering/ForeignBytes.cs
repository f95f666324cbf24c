using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Recovering;

/// <summary>The error for bytes in a shard that are of no version.</summary>
internal static class ForeignBytes
{
    /// <summary>A chunk holds bytes of no version.</summary>
    internal static CheckpointException At(in Chunk chunk) =>
        new(
            CheckpointError.ShardForeign,
            $"shard {chunk.Shard.FileName}: tensor \"{chunk.Tensor.Name}\", bytes {chunk.FileOffset} to "
                + $"{chunk.FileOffset + chunk.ByteLength} of the file, hold what no version held: damaged, or changed by something else",
            Next
        );

    /// <summary>Chunks of tensors that no live memory holds are damaged: only a mirror has their bytes.</summary>
    /// <param name="damaged">At least one.</param>
    internal static CheckpointException NotLive(IReadOnlyList<Chunk> damaged)
    {
        string[] names = [.. damaged.Select(chunk => chunk.Tensor.Name).Distinct()];
        string more = names.Length > 3 ? $" and {names.Length - 3} more" : "";
        return new CheckpointException(
            CheckpointError.ShardForeign,
            $"shard {damaged[0].Shard.FileName}: {string.Join(", ", names.Take(3).Select(name => $"\"{name}\""))}{more} hold what no version "
                + "held, and they are not live: the producer has nothing to repair them with",
            "to take them from a mirror: restore --from; to take the files as they are: adopt"
        );
    }

    /// <summary>A shard is not the one that the journal knows.</summary>
    internal static CheckpointException Shard(string fileName, string what) =>
        new(CheckpointError.ShardForeign, $"shard {fileName}: {what}", Next);

    private const string Next =
        "to take these bytes from the live model: sync --repair; from a mirror: restore --from; if the files were changed on purpose: adopt";
}
