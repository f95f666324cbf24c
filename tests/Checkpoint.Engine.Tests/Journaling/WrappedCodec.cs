using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>A codec that does what another one does, but for what a test overrides.</summary>
internal abstract class WrappedCodec : IChunkCodec
{
    protected abstract IChunkCodec Inner { get; }

    public virtual EncodedChunk Encode(
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed
    ) => Inner.Encode(diskType, liveType, before, after, changed);

    public EncodedChunk EncodeRepair(ElementType diskType, ReadOnlySpan<byte> after) => Inner.EncodeRepair(diskType, after);

    public virtual void Apply(
        ChunkEncoding encoding,
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> payload,
        Span<byte> bytes,
        bool backward
    ) => Inner.Apply(encoding, diskType, liveType, payload, bytes, backward);

    public abstract void Dispose();
}
