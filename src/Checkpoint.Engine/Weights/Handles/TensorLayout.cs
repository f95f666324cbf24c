using System.Diagnostics.CodeAnalysis;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>
/// Element type, shape and strides of a tensor in memory. An instance exists only when nothing in it overflows: sizes and strides are
/// not negative, at most 64 dimensions, and length and extent fit into 63 bits.
/// </summary>
internal sealed class TensorLayout
{
    /// <summary>Most dimensions; torch's own limit.</summary>
    internal const int MaxDimensions = 64;

    // Contiguous runs and where they begin: dimensions outside a run, outermost first. Size-1 dimensions are left out.
    private readonly List<(long Size, long StrideBytes)> outer = [];
    private readonly long runBytes;

    private TensorLayout(ElementType type, IReadOnlyList<long> shape, IReadOnlyList<long> stride)
    {
        Type = type;
        Shape = shape;
        Stride = stride;
        checked
        {
            Elements = shape.Aggregate(1L, (product, size) => product * size);
            ByteLength = Elements * type.Bits() / 8;
            Extent = Elements == 0 ? 0 : (1 + shape.Zip(stride, (size, step) => (size - 1) * step).Sum()) * type.Bits() / 8;
        }

        long run = 1;
        int inner = shape.Count;
        while (inner > 0 && (shape[inner - 1] == 1 || stride[inner - 1] == run))
        {
            inner--;
            run *= shape[inner];
        }

        IsContiguous = Elements == 0 || inner == 0;
        runBytes = IsContiguous ? ByteLength : run * type.Bits() / 8;
        outer.AddRange(
            shape.Zip(stride).Take(inner).Where(dimension => dimension.First != 1).Select(d => (d.First, d.Second * type.Bits() / 8))
        );
    }

    /// <summary>Element type.</summary>
    internal ElementType Type { get; }

    /// <summary>Elements a dimension.</summary>
    internal IReadOnlyList<long> Shape { get; }

    /// <summary>Elements from one index to the next, a dimension.</summary>
    internal IReadOnlyList<long> Stride { get; }

    /// <summary>Number of elements.</summary>
    internal long Elements { get; }

    /// <summary>Bytes in contiguous order.</summary>
    internal long ByteLength { get; }

    /// <summary>Bytes from the first byte in memory to behind the last; 0 when it has no elements.</summary>
    internal long Extent { get; }

    /// <summary>Whether memory order is contiguous order; the stride of a dimension of size 1 is free.</summary>
    internal bool IsContiguous { get; }

    /// <summary>Two layouts with the same key at the same place are the same bytes in contiguous order.</summary>
    internal string Key => IsContiguous ? $"{ByteLength}" : $"{Type.Name()}[{string.Join(',', Shape)}]/[{string.Join(',', Stride)}]";

    /// <summary>The strides of contiguous order.</summary>
    /// <exception cref="OverflowException">The shape has more elements than can be counted.</exception>
    internal static long[] ContiguousStride(IReadOnlyList<long> shape)
    {
        long[] stride = new long[shape.Count];
        long step = 1;
        for (int i = shape.Count - 1; i >= 0; i--)
        {
            stride[i] = step;
            step = checked(step * Math.Max(1, shape[i]));
        }

        return stride;
    }

    /// <summary>Checks the numbers and makes the layout.</summary>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Elements a dimension.</param>
    /// <param name="stride">Elements, or null for contiguous order.</param>
    /// <param name="layout">The layout.</param>
    /// <param name="problem">What is wrong, as the end of a sentence that begins with the tensor's name.</param>
    internal static bool TryCreate(
        ElementType type,
        IReadOnlyList<long> shape,
        IReadOnlyList<long>? stride,
        [NotNullWhen(true)] out TensorLayout? layout,
        [NotNullWhen(false)] out string? problem
    )
    {
        layout = null;
        problem = (shape, stride) switch
        {
            ({ Count: > MaxDimensions }, _) => $"has {shape.Count} dimensions, at most {MaxDimensions} are read",
            _ when stride is not null && stride.Count != shape.Count => $"has {shape.Count} sizes and {stride.Count} strides",
            _ when shape.Any(size => size < 0) => "has a negative size",
            _ when stride is not null && stride.Any(step => step < 0) => "has a negative stride",
            _ => null,
        };
        if (problem is not null)
        {
            return false;
        }

        try
        {
            layout = new TensorLayout(type, shape, stride ?? ContiguousStride(shape));
        }
        catch (OverflowException)
        {
            problem = "is larger than can be counted";
            return false;
        }

        problem =
            type.Bits() >= 8 || (layout.IsContiguous && layout.Elements * type.Bits() % 8 == 0)
                ? null
                : $"is packed ({type.Name()}) and not a whole number of bytes in contiguous order";
        return problem is null;
    }

    /// <summary>Reads a range of contiguous order out of memory, run by run.</summary>
    /// <param name="byteOffset">Bytes from the first element, contiguous order.</param>
    /// <param name="destination">Filled whole.</param>
    /// <param name="read">Reads memory; its offset counts from the tensor's first element.</param>
    internal void Gather(long byteOffset, Span<byte> destination, MemoryReader read)
    {
        while (!destination.IsEmpty)
        {
            (long run, long inRun) = Math.DivRem(byteOffset, runBytes);
            int count = (int)Math.Min(destination.Length, runBytes - inRun);
            read(RunStart(run) + inRun, destination[..count]);
            destination = destination[count..];
            byteOffset += count;
        }
    }

    private long RunStart(long run)
    {
        long start = 0;
        for (int i = outer.Count - 1; i >= 0; i--)
        {
            (run, long index) = Math.DivRem(run, outer[i].Size);
            start += index * outer[i].StrideBytes;
        }

        return start;
    }
}
