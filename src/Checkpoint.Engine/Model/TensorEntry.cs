namespace ApolloCheckpoint.Engine.Model;

/// <summary>One tensor of a shard, as its validated header says.</summary>
/// <param name="Name">The name in the header.</param>
/// <param name="Type">The element type on disk.</param>
/// <param name="Shape">Elements a dimension; empty for a scalar.</param>
/// <param name="FileOffset">Bytes from the start of the shard file to the first element.</param>
/// <param name="ByteLength">Bytes of the data; equals elements times bits / 8.</param>
public sealed record TensorEntry(string Name, ElementType Type, IReadOnlyList<long> Shape, long FileOffset, long ByteLength)
{
    /// <summary>Number of elements; 1 for a scalar, 0 when a dimension is 0.</summary>
    public long Elements { get; } = Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Coding units: elements, or bytes for types packed below a byte.</summary>
    public long Units => ByteLength / Type.UnitBytes();
}
