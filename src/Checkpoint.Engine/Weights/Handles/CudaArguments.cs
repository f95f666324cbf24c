namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>
/// What torch's <c>rebuild_cuda_tensor</c> takes beside the layout (torch/multiprocessing/reductions.py, unchanged from 2.0 to 2.13).
/// Only the python source needs it; a reader that goes through the driver does not touch the counters.
/// </summary>
/// <param name="TensorClass">Argument 0, for example "torch.nn.parameter.Parameter".</param>
/// <param name="Device">Argument 6, the producer's logical device index.</param>
/// <param name="Handle">Argument 7 with its prefix, or null for a tensor of 0 bytes. A capability: never printed.</param>
/// <param name="StorageSizeBytes">Argument 8.</param>
/// <param name="StorageOffsetBytes">Argument 9, bytes from the segment's start to the storage.</param>
/// <param name="RefCounterHandle">Argument 11.</param>
/// <param name="RefCounterOffset">Argument 12.</param>
/// <param name="EventHandle">Argument 13.</param>
/// <param name="EventSyncRequired">Argument 14.</param>
internal sealed record CudaArguments(
    string TensorClass,
    int Device,
    byte[]? Handle,
    long StorageSizeBytes,
    long StorageOffsetBytes,
    byte[] RefCounterHandle,
    long RefCounterOffset,
    byte[] EventHandle,
    bool EventSyncRequired
)
{
    /// <summary>For reports; no handle is in it.</summary>
    public override string ToString() => $"{TensorClass} on cuda:{Device}";
}
