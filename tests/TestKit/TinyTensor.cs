using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.TestKit;

/// <summary>One tensor of a <see cref="TinyModel"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type on disk.</param>
/// <param name="Shape">Elements a dimension; none for a scalar.</param>
public sealed record TinyTensor(string Name, ElementType Type, params long[] Shape)
{
    /// <summary>Bytes of its data.</summary>
    public long ByteLength => checked(Shape.Aggregate(1L, (product, size) => product * size) * Type.Bits() / 8);
}
