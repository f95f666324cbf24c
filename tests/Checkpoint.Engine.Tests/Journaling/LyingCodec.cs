using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>A codec with a defect: what it codes does not give the bytes back.</summary>
internal sealed class LyingCodec : WrappedCodec
{
    protected override IChunkCodec Inner { get; } = new XorCodec();

    public override EncodedChunk Encode(
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed
    )
    {
        EncodedChunk right = base.Encode(diskType, liveType, before, after, changed);
        byte[] wrong = right.Payload.ToArray();
        wrong[^1] ^= 1;
        return new EncodedChunk(right.Encoding, wrong, right.ChangedUnits);
    }

    public override void Dispose() => Inner.Dispose();
}
