namespace ApolloCheckpoint.Engine.Model;

/// <summary>A rectangle inside a tensor, in elements: start and length, one number a dimension. A scalar's has no dimension.</summary>
/// <param name="Start">First index a dimension.</param>
/// <param name="Length">Number of indices a dimension.</param>
public sealed record Rectangle(IReadOnlyList<long> Start, IReadOnlyList<long> Length)
{
    /// <summary>Number of elements.</summary>
    public long Elements { get; } = Length.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>The whole tensor of that shape.</summary>
    public static Rectangle Whole(IReadOnlyList<long> shape) => new([.. shape.Select(_ => 0L)], shape);

    /// <summary>Rows (indices of dimension 0) [<paramref name="start"/>, start + <paramref name="length"/>), all other dimensions whole.</summary>
    public static Rectangle Rows(IReadOnlyList<long> shape, long start, long length) =>
        new([start, .. shape.Skip(1).Select(_ => 0L)], [length, .. shape.Skip(1)]);

    /// <summary>Whether it lies inside a tensor of that shape, with the same number of dimensions and nothing negative.</summary>
    public bool FitsIn(IReadOnlyList<long> shape)
    {
        if (Start.Count != shape.Count || Length.Count != shape.Count)
        {
            return false;
        }

        for (int i = 0; i < shape.Count; i++)
        {
            if (Start[i] < 0 || Length[i] < 0 || Start[i] > shape[i] || Length[i] > shape[i] - Start[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public bool Equals(Rectangle? other) => other is not null && Start.SequenceEqual(other.Start) && Length.SequenceEqual(other.Length);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (long number in Start.Concat(Length))
        {
            hash.Add(number);
        }

        return hash.ToHashCode();
    }

    /// <summary>For example "[0:4, 2:6]".</summary>
    public override string ToString() => $"[{string.Join(", ", Start.Zip(Length, (start, length) => $"{start}:{start + length}"))}]";
}
