using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>All device memory that the handles name: each block opened once, whatever number of tensors and ranks name it.</summary>
internal sealed class CudaBlocks : IDisposable
{
    private readonly Dictionary<int, CudaContext> contexts = [];
    private readonly Dictionary<string, CudaBlock> byHandle = new(StringComparer.Ordinal);
    private readonly Dictionary<HandleAllocation, CudaBlock> byAllocation = new(ReferenceEqualityComparer.Instance);

    private CudaBlocks() { }

    /// <summary>UUIDs of the devices in use.</summary>
    internal IEnumerable<string> Devices => contexts.Values.Select(context => context.Device.Uuid);

    /// <summary>The block of an allocation.</summary>
    internal CudaBlock this[HandleAllocation allocation] => byAllocation[allocation];

    /// <summary>Opens what the tensors need. Tensors that the producer does not vouch for are never read, and need none.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable; everything that was opened is closed.</exception>
    internal static CudaBlocks Open(HandlesFile handles, ICudaDriver driver)
    {
        CudaBlocks blocks = new();
        try
        {
            IReadOnlyList<CudaDevice> devices = CudaDevices.List(driver);
            foreach (IGrouping<string, HandleTensor> block in TensorsByHandle(handles))
            {
                blocks.Add(driver, devices, block.Key, [.. block], handles.Producer.Pid);
            }

            return blocks;
        }
        catch
        {
            blocks.Dispose();
            throw;
        }
    }

    /// <summary>Closes every block, then lets go of every context.</summary>
    public void Dispose()
    {
        foreach (CudaBlock block in byHandle.Values)
        {
            block.Dispose();
        }

        foreach (CudaContext context in contexts.Values)
        {
            context.Dispose();
        }
    }

    private static IEnumerable<IGrouping<string, HandleTensor>> TensorsByHandle(HandlesFile handles) =>
        handles
            .Tensors.Where(tensor => tensor is { Unsupported: null, Allocation: not null })
            .GroupBy(tensor => Convert.ToHexString(tensor.Allocation!.Handle), StringComparer.Ordinal);

    private void Add(ICudaDriver driver, IReadOnlyList<CudaDevice> devices, string handle, HandleTensor[] tensors, int? producer)
    {
        HandleAllocation[] allocations = [.. tensors.Select(tensor => tensor.Allocation).OfType<HandleAllocation>().Distinct()];
        CudaDevice device = CudaDevices.Find(devices, allocations[0], producer);
        if (!contexts.TryGetValue(device.Handle, out CudaContext? context))
        {
            contexts.Add(device.Handle, context = CudaContext.Retain(driver, device));
        }

        CudaBlock block = CudaBlock.Open(context, allocations[0], allocations.Max(allocation => allocation.Size));
        byHandle.Add(handle, block);
        foreach (HandleAllocation allocation in allocations)
        {
            byAllocation.Add(allocation, block);
        }
    }
}
