using System.Collections.Concurrent;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Tests.Journaling;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>The engine's codec, its megabytes of buffers used again: a crash test opens a model a hundred thousand times.</summary>
internal sealed class CodecPool : WrappedCodec
{
    private static readonly ConcurrentBag<ChunkCodec> Idle = [];
    private ChunkCodec? codec;

    private CodecPool(ChunkCodec codec) => this.codec = codec;

    protected override IChunkCodec Inner => codec ?? throw new ObjectDisposedException(nameof(CodecPool));

    internal static IChunkCodec Take() => new CodecPool(Idle.TryTake(out ChunkCodec? idle) ? idle : new ChunkCodec());

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref codec, null) is { } idle)
        {
            Idle.Add(idle);
        }
    }
}
