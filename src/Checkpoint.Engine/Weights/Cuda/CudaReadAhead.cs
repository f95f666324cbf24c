using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>
/// Copies of device memory into two pinned buffers, by turns: while the bytes of one are compared, the device fills the other. The bytes
/// are used where they lie. Pins up to two times <see cref="BufferBytes"/>, when it is first used.
/// </summary>
/// <param name="catalog">Where the tensors are.</param>
/// <param name="blocks">The opened memory; outlives this.</param>
internal sealed class CudaReadAhead(LiveCatalog catalog, CudaBlocks blocks) : IReadAhead
{
    /// <summary>Number of buffers.</summary>
    internal const int Buffers = 2;

    /// <summary>Bytes of a buffer: the live bytes of the largest chunk (f32 in memory, bf16 on disk).</summary>
    internal const int BufferBytes = 2 * ChunkLayout.MaxBytes;

    private readonly PinnedBuffer?[] buffers = new PinnedBuffer?[Buffers];
    private readonly (CudaLane? Lane, LiveTensor Tensor, int Length)[] copies = new (CudaLane?, LiveTensor, int)[Buffers];
    private readonly Dictionary<CudaContext, CudaLane> lanes = [];
    private long started;
    private long taken;

    /// <inheritdoc/>
    public void Start(LiveTensor tensor, long byteOffset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, BufferBytes);
        if (started - taken == Buffers)
        {
            throw new InvalidOperationException("both buffers are in use: take one first");
        }

        HandleTensor place = catalog.Find(tensor, byteOffset, length);
        int buffer = (int)(started % Buffers);
        bool hasBytes = place.Allocation is not null && length > 0;
        copies[buffer] = (hasBytes ? Copy(tensor, place, byteOffset, length, buffer) : null, tensor, length);
        started++;
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Take()
    {
        if (started == taken)
        {
            throw new InvalidOperationException("nothing was started");
        }

        int buffer = (int)(taken++ % Buffers);
        (CudaLane? lane, LiveTensor tensor, int length) = copies[buffer];
        if (lane is null || buffers[buffer] is not { } pinned)
        {
            return default;
        }

        lane.Wait(buffer, tensor);
        return pinned.Memory[..length];
    }

    /// <summary>Reads a range of any length through both buffers.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable; this is of no use any more.</exception>
    internal void Read(LiveTensor tensor, long byteOffset, Span<byte> destination)
    {
        int begun = 0;
        for (int done = 0; done < destination.Length; )
        {
            while (begun < destination.Length && started - taken < Buffers)
            {
                int length = Math.Min(BufferBytes, destination.Length - begun);
                Start(tensor, byteOffset + begun, length);
                begun += length;
            }

            ReadOnlyMemory<byte> bytes = Take();
            bytes.Span.CopyTo(destination[done..]);
            done += bytes.Length;
        }
    }

    /// <summary>Waits for what is under way, and lets go of everything.</summary>
    public void Dispose()
    {
        foreach (CudaLane lane in lanes.Values)
        {
            lane.Dispose();
        }

        lanes.Clear();
        foreach (IDisposable? buffer in buffers)
        {
            buffer?.Dispose();
        }
    }

    private CudaLane Copy(LiveTensor tensor, HandleTensor place, long byteOffset, int length, int buffer)
    {
        CudaBlock block = blocks[place.Allocation ?? throw new InvalidOperationException("there are no bytes to copy")];
        using CudaContext.Scope scope = block.Context.Enter();
        if (!lanes.TryGetValue(block.Context, out CudaLane? lane))
        {
            lanes.Add(block.Context, lane = CudaLane.Create(block.Context));
        }

        PinnedBuffer pinned = buffers[buffer] ??= PinnedBuffer.Allocate(block.Context, BufferBytes);
        ulong start = block.Pointer + (ulong)place.AllocationOffset;
        // Strides are sorted out by the copies, so that memory between the elements is not copied.
        place.Layout.Gather(
            byteOffset,
            pinned.GetSpan()[..length],
            (memoryOffset, target) => lane.Copy(start + (ulong)memoryOffset, target, tensor)
        );
        lane.Mark(buffer, tensor);
        return lane;
    }
}
