using System.Buffers;

namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>Host memory that a device may write into while this process does something else. Not of the garbage collector's.</summary>
internal sealed unsafe class PinnedBuffer : MemoryManager<byte>
{
    private readonly CudaContext context;
    private readonly int bytes;
    private nint start;

    private PinnedBuffer(CudaContext context, nint start, int bytes)
    {
        this.context = context;
        this.start = start;
        this.bytes = bytes;
    }

    /// <summary>Pins new memory. The context is current.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable: the system gives none.</exception>
    internal static PinnedBuffer Allocate(CudaContext context, int bytes)
    {
        CudaResult result = context.Driver.HostAllocate(out nint start, bytes);
        return result == CudaResult.Success
            ? new PinnedBuffer(context, start, bytes)
            : throw CudaFailure.Of(
                $"pinning {bytes >> 20} MiB of host memory: {context.Driver.ErrorName(result)}",
                "two buffers a core are pinned: give the process more locked memory (ulimit -l, LimitMEMLOCK=)"
            );
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() =>
        start != 0 ? new Span<byte>((void*)start, bytes) : throw new ObjectDisposedException("pinned buffer");

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)start + elementIndex, default, this);

    /// <inheritdoc/>
    public override void Unpin() { }

    /// <summary>Frees it. No copy into it is under way any more.</summary>
    protected override void Dispose(bool disposing)
    {
        if (start == 0)
        {
            return;
        }

        using CudaContext.Scope scope = context.TryEnter();
        if (scope.IsEntered)
        {
            _ = context.Driver.HostFree(start);
        }

        start = 0;
    }
}
