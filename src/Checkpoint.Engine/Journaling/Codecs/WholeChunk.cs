using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>For those who do not know where a chunk changed.</summary>
internal static class WholeChunk
{
    /// <summary>As <see cref="IChunkCodec.Encode"/>, looking for changes everywhere.</summary>
    internal static EncodedChunk Encode(
        this IChunkCodec codec,
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after
    ) => codec.Encode(diskType, liveType, before, after, [(0, before.Length)]);
}
