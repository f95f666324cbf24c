using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>A tensor in the demo producer's memory: one tensor of the files, or several merged row by row, as vLLM merges them.</summary>
/// <param name="Name">The producer's name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Elements a dimension.</param>
/// <param name="Offset">Bytes from the start of the memory.</param>
/// <param name="Tensors">The tensors on disk, in the order of their rows.</param>
internal sealed record LiveParameter(
    string Name,
    ElementType Type,
    IReadOnlyList<long> Shape,
    long Offset,
    IReadOnlyList<(Shard Shard, TensorEntry Entry)> Tensors
)
{
    /// <summary>Bytes.</summary>
    public long ByteLength => Tensors.Sum(tensor => tensor.Entry.ByteLength);
}
