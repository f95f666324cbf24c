using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>The plain codec, counting how often a payload is applied.</summary>
internal sealed class CountingCodec(Action applied) : IChunkCodec
{
    private readonly XorCodec codec = new();

    public EncodedChunk Encode(
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed
    ) => codec.Encode(diskType, liveType, before, after, changed);

    public EncodedChunk EncodeRepair(ElementType diskType, ReadOnlySpan<byte> after) => codec.EncodeRepair(diskType, after);

    public void Apply(
        ChunkEncoding encoding,
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> payload,
        Span<byte> bytes,
        bool backward
    )
    {
        applied();
        codec.Apply(encoding, diskType, liveType, payload, bytes, backward);
    }

    public void Dispose() => codec.Dispose();
}
