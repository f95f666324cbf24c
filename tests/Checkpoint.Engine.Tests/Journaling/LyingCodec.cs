using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>A codec with a defect: what it codes does not give the bytes back.</summary>
internal sealed class LyingCodec : IChunkCodec
{
    private readonly XorCodec inner = new();

    public EncodedChunk Encode(
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed
    )
    {
        EncodedChunk right = inner.Encode(diskType, liveType, before, after, changed);
        byte[] wrong = right.Payload.ToArray();
        wrong[^1] ^= 1;
        return new EncodedChunk(right.Encoding, wrong, right.ChangedUnits);
    }

    public EncodedChunk EncodeRepair(ElementType diskType, ReadOnlySpan<byte> after) => inner.EncodeRepair(diskType, after);

    public void Apply(
        ChunkEncoding encoding,
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> payload,
        Span<byte> bytes,
        bool backward
    ) => inner.Apply(encoding, diskType, liveType, payload, bytes, backward);

    public void Dispose() => inner.Dispose();
}
