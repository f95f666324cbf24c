namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>One tensor that <c>host.py</c> opens without running any code of the handles file.</summary>
/// <param name="Name">The producer's name.</param>
/// <param name="Type">Element type, safetensors spelling.</param>
/// <param name="Shape">Elements a dimension.</param>
/// <param name="Stride">Stored units from one index to the next, a dimension of <paramref name="StoredShape"/>.</param>
/// <param name="StoredShape">Shape in units of <paramref name="ItemBytes"/>: the shape, or one dimension of bytes for packed types.</param>
/// <param name="ItemBytes">Bytes of a stored unit: 1, 2, 4 or 8.</param>
/// <param name="Path">File that holds it; empty for GPU memory.</param>
/// <param name="FileBytes">Bytes of the file that are mapped.</param>
/// <param name="Offset">Bytes from the start of the file to the first element.</param>
/// <param name="Cuda">Arguments of torch's rebuild_cuda_tensor, or null for a file.</param>
internal sealed record HostTensorRequest(
    string Name,
    string Type,
    IReadOnlyList<long> Shape,
    IReadOnlyList<long> Stride,
    IReadOnlyList<long> StoredShape,
    int ItemBytes,
    string Path,
    long FileBytes,
    long Offset,
    HostCudaRequest? Cuda
);
