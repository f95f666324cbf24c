namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>A tensor that the host keeps open.</summary>
/// <param name="Name">The producer's name.</param>
/// <param name="Type">Element type, safetensors spelling.</param>
/// <param name="Shape">Elements a dimension.</param>
/// <param name="Key">Tensors of one key are the same bytes; null when there are none.</param>
/// <param name="Pointer">Address in the host of its bytes in contiguous order; 0 where Python has to gather them.</param>
/// <param name="Bytes">Bytes in contiguous order.</param>
internal sealed record HostTensor(string Name, string Type, IReadOnlyList<long> Shape, string? Key, long Pointer, long Bytes);
