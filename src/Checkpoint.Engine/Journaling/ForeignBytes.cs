using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling;

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

    /// <summary>A shard is not the one that the journal knows.</summary>
    internal static CheckpointException Shard(string fileName, string what) =>
        new(CheckpointError.ShardForeign, $"shard {fileName}: {what}", Next);

    private const string Next =
        "to take these bytes from the live model: sync --repair; from a mirror: restore --from; if the files were changed on purpose: adopt";
}
