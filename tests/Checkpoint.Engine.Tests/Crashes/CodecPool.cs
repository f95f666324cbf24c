using System.Collections.Concurrent;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>The engine's codec, its megabytes of buffers used again: a crash test opens a model a hundred thousand times.</summary>
internal sealed class CodecPool : IChunkCodec
{
    private static readonly ConcurrentBag<ChunkCodec> Idle = [];
    private ChunkCodec? codec;

    private CodecPool(ChunkCodec codec) => this.codec = codec;

    private ChunkCodec Codec => codec ?? throw new ObjectDisposedException(nameof(CodecPool));

    internal static IChunkCodec Take() => new CodecPool(Idle.TryTake(out ChunkCodec? idle) ? idle : new ChunkCodec());

    public EncodedChunk Encode(
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed
    ) => Codec.Encode(diskType, liveType, before, after, changed);

    public EncodedChunk EncodeRepair(ElementType diskType, ReadOnlySpan<byte> after) => Codec.EncodeRepair(diskType, after);

    public void Apply(
        ChunkEncoding encoding,
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> payload,
        Span<byte> bytes,
        bool backward
    ) => Codec.Apply(encoding, diskType, liveType, payload, bytes, backward);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref codec, null) is { } idle)
        {
            Idle.Add(idle);
        }
    }
}
