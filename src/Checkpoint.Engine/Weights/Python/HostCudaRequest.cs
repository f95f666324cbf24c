namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// What torch's rebuild_cuda_tensor takes beside type, shape and stride. Goes through the child's pipe only: a handle is a capability and
/// is never printed.
/// </summary>
/// <param name="Device">The producer's device index.</param>
/// <param name="Handle">Argument 7, torch's prefix included.</param>
/// <param name="StorageOffset">Elements from the storage's start.</param>
/// <param name="StorageBytes">Argument 8.</param>
/// <param name="SegmentOffset">Argument 9: bytes from the segment's start to the storage.</param>
/// <param name="Counter">Argument 11, the name of torch's counter file.</param>
/// <param name="CounterOffset">Argument 12.</param>
/// <param name="Event">Argument 13.</param>
/// <param name="EventSync">Argument 14.</param>
internal sealed record HostCudaRequest(
    int Device,
    byte[] Handle,
    long StorageOffset,
    long StorageBytes,
    long SegmentOffset,
    string Counter,
    long CounterOffset,
    byte[] Event,
    bool EventSync
)
{
    /// <summary>For reports; no handle is in it.</summary>
    public override string ToString() => $"cuda:{Device}, {StorageBytes} bytes";
}
