using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>The plain codec, counting how often a payload is applied.</summary>
internal sealed class CountingCodec(Action applied) : WrappedCodec
{
    protected override IChunkCodec Inner { get; } = new XorCodec();

    public override void Apply(
        ChunkEncoding encoding,
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> payload,
        Span<byte> bytes,
        bool backward
    )
    {
        applied();
        base.Apply(encoding, diskType, liveType, payload, bytes, backward);
    }

    public override void Dispose() => Inner.Dispose();
}
