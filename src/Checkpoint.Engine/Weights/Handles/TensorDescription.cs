namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>One tensor as <c>apollo-checkpoint handles</c> shows it.</summary>
/// <param name="Name">The producer's name.</param>
/// <param name="Source">"cuda-ipc", "cuda-expandable", "archive", "file" or "empty".</param>
/// <param name="Dtype">Safetensors spelling.</param>
/// <param name="Shape">Elements a dimension.</param>
/// <param name="Stride">Elements.</param>
/// <param name="StorageOffset">Elements from the storage's start to the first one.</param>
/// <param name="Device">CUDA: the producer's logical index, or the device's UUID where the file has no index.</param>
/// <param name="Allocation">CUDA: first 16 hex digits of the SHA-256 of the raw handle. Never the handle.</param>
/// <param name="AllocationOffset">Bytes from the allocation's (or record's) start to the first element.</param>
/// <param name="Extent">Bytes in memory from the first byte to behind the last.</param>
/// <param name="Record">Archive: key of the storage.</param>
/// <param name="Sha256">SHA-256 of the bytes in contiguous order, where it was asked for and they can be read.</param>
internal sealed record TensorDescription(
    string Name,
    string Source,
    string Dtype,
    IReadOnlyList<long> Shape,
    IReadOnlyList<long> Stride,
    long StorageOffset,
    string? Device,
    string? Allocation,
    long AllocationOffset,
    long Extent,
    string? Record,
    string? Sha256
)
{
    /// <summary>Describes a tensor of a handles file.</summary>
    internal static TensorDescription Of(HandleTensor tensor, string? sha256) =>
        new(
            tensor.Name,
            tensor.Allocation?.Kind switch
            {
                AllocationKind.CudaIpc => "cuda-ipc",
                AllocationKind.CudaExpandable => "cuda-expandable",
                AllocationKind.File => "file",
                AllocationKind.Record => "archive",
                _ => "empty",
            },
            Model.ElementTypes.Name(tensor.Layout.Type),
            tensor.Layout.Shape,
            tensor.Layout.Stride,
            tensor.StorageOffset,
            (tensor.Cuda?.Device ?? tensor.Allocation?.Device)?.ToString(System.Globalization.CultureInfo.InvariantCulture)
                ?? tensor.Allocation?.DeviceUuid,
            tensor.Allocation?.Fingerprint,
            tensor.AllocationOffset,
            tensor.Layout.Extent,
            tensor.Allocation?.Record,
            sha256
        );
}
