using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Weights;

/// <summary>
/// A named tensor in the memory of the producer. Its bytes are asked for in contiguous (row-major) order whatever its strides are;
/// the source sorts that out.
/// </summary>
/// <param name="Name">The producer's name for it, for example "model.layers.0.self_attn.qkv_proj.weight".</param>
/// <param name="Type">Element type in memory.</param>
/// <param name="Shape">Elements a dimension.</param>
/// <param name="Rank">The producer's rank that holds it; 0 for a producer of one rank.</param>
public sealed record LiveTensor(string Name, ElementType Type, IReadOnlyList<long> Shape, int Rank = 0)
{
    /// <summary>Number of elements.</summary>
    public long Elements { get; } = Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Bytes in contiguous order.</summary>
    public long ByteLength => Elements * Type.Bits() / 8;

    /// <summary>
    /// Which rectangles of this tensor are which rectangles of tensors on disk, as the producer's hook says; null when it does not say
    /// and names and family rules decide.
    /// </summary>
    public IReadOnlyList<LivePart>? Parts { get; init; }

    /// <summary>Why the producer cannot vouch for this tensor ("quantised"), or null.</summary>
    public string? Unsupported { get; init; }

    /// <summary>
    /// Identifies the memory: two tensors with the same non-null key are the same bytes (tied weights under two names).
    /// </summary>
    public string? StorageKey { get; init; }

    /// <summary>
    /// Where its first byte lies: number of the allocation, and bytes from its start. What lies in one allocation is best read in this order.
    /// Null when the source does not know.
    /// </summary>
    public (int Allocation, long Offset)? Address { get; init; }
}
