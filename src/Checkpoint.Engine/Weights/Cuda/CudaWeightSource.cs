using System.Collections.Concurrent;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>
/// Live weights in GPU memory, read through the driver: each block opened once by its IPC handle, copied out, closed at the end. No Python,
/// no torch; torch's own counters in /dev/shm are never touched. Memory is opened when a run begins and closed when it ends, because what
/// becomes of it when the producer frees it meanwhile is not defined. Proven against a stand-in driver (tests/FakeCuda), not yet on a GPU.
/// </summary>
internal sealed class CudaWeightSource : IWeightSource
{
    private readonly HandlesFile handles;
    private readonly LiveCatalog catalog;
    private readonly CudaBlocks blocks;
    private readonly ConcurrentBag<CudaReadAhead> idle = [];

    private CudaWeightSource(HandlesFile handles, CudaBlocks blocks)
    {
        this.handles = handles;
        this.blocks = blocks;
        catalog = new LiveCatalog(handles);
    }

    /// <inheritdoc/>
    public string Kind => "native CUDA";

    /// <inheritdoc/>
    public IReadOnlyList<LiveTensor> Tensors => catalog.Tensors;

    /// <inheritdoc/>
    public ProducerInfo Producer => handles.Producer;

    /// <inheritdoc/>
    public string? StatePagePath => handles.StatePagePath;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> DeclaredNotLive => handles.UnmappedDisk;

    /// <summary>UUIDs of the devices in use, for the report.</summary>
    internal IEnumerable<string> Devices => blocks.Devices;

    /// <summary>Opens every block that a tensor lies in. All allocations are CUDA memory by IPC handle.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable; nothing is left open.</exception>
    internal static CudaWeightSource Open(HandlesFile handles, ICudaDriver driver) => new(handles, CudaBlocks.Open(handles, driver));

    /// <inheritdoc/>
    public void Read(LiveTensor tensor, long byteOffset, Span<byte> destination)
    {
        _ = catalog.Find(tensor, byteOffset, destination.Length);
        CudaReadAhead reader = idle.TryTake(out CudaReadAhead? used) ? used : new CudaReadAhead(catalog, blocks);
        try
        {
            reader.Read(tensor, byteOffset, destination);
        }
        catch
        {
            reader.Dispose();
            throw;
        }

        idle.Add(reader);
    }

    /// <inheritdoc/>
    public IReadAhead OpenReadAhead() => new CudaReadAhead(catalog, blocks);

    /// <inheritdoc/>
    public void Dispose()
    {
        while (idle.TryTake(out CudaReadAhead? reader))
        {
            reader.Dispose();
        }

        blocks.Dispose();
    }
}
