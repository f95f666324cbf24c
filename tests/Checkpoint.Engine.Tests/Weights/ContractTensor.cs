using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Weights;

/// <summary>A tensor that a source is given to publish.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Shape">Elements a dimension.</param>
/// <param name="Stride">Elements.</param>
/// <param name="Memory">Its bytes as they lie in memory.</param>
public sealed record ContractTensor(string Name, ElementType Type, long[] Shape, long[] Stride, byte[] Memory)
{
    /// <summary>The bytes in contiguous order, element by element: the slow, obvious way.</summary>
    public byte[] Contiguous()
    {
        int size = Type.UnitBytes();
        long count = Shape.Aggregate(1L, (product, length) => product * length);
        byte[] bytes = new byte[count * size];
        for (long i = 0; i < count; i++)
        {
            long rest = i;
            long place = 0;
            for (int d = Shape.Length - 1; d >= 0; d--)
            {
                place += rest % Shape[d] * Stride[d];
                rest /= Shape[d];
            }

            Memory.AsSpan((int)place * size, size).CopyTo(bytes.AsSpan((int)i * size));
        }

        return bytes;
    }

    /// <summary>A contiguous one with bytes of that seed.</summary>
    public static ContractTensor Of(string name, ElementType type, int seed, params long[] shape)
    {
        long[] stride = new long[shape.Length];
        long step = 1;
        for (int d = shape.Length - 1; d >= 0; d--)
        {
            stride[d] = step;
            step *= Math.Max(1, shape[d]);
        }

        return Strided(name, type, seed, shape, stride);
    }

    /// <summary>One with other strides.</summary>
    public static ContractTensor Strided(string name, ElementType type, int seed, long[] shape, long[] stride)
    {
        long last = shape.Contains(0) ? 0 : 1 + shape.Zip(stride, (size, step) => (size - 1) * step).Sum();
        byte[] memory = new byte[last * type.UnitBytes()];
        new Random(seed).NextBytes(memory);
        return new ContractTensor(name, type, shape, stride, memory);
    }
}
