using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Chooses the class up to which crossers are counted among their like. Crossers of real runs are mostly tiny values, a small part
/// of all elements; counted among those alone their gaps are short. Integers only: the choice is part of the bytes.
/// </summary>
internal static class CrosserLevel
{
    private const int FewestCrossers = 16;

    // Count, parameter and top class of a second list.
    private const long LevelBits = 30;

    /// <summary>Chooses.</summary>
    /// <param name="shape">Shape of the elements.</param>
    /// <param name="before">The chunk.</param>
    /// <param name="after">The chunk as it becomes.</param>
    /// <param name="crossers">Positions of all crossers.</param>
    /// <returns>The class, or -1 where one list for all is shorter.</returns>
    public static int Choose<T>(FloatShape shape, ReadOnlySpan<T> before, ReadOnlySpan<T> after, ReadOnlySpan<int> crossers)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (crossers.Length < FewestCrossers)
        {
            return -1;
        }

        Span<int> sampled = stackalloc int[WorkArrays.ClassCount];
        Span<int> crossing = stackalloc int[WorkArrays.ClassCount];
        sampled.Clear();
        crossing.Clear();
        foreach (int position in crossers)
        {
            crossing[Class(shape, before[position], after[position])]++;
        }

        // Odd, so that a power of two in the tensor's rows does not choose the same column every time.
        int stride = (before.Length / 4096) | 1;
        for (int index = 0; index < before.Length; index += stride)
        {
            sampled[(int)shape.Class(uint.CreateTruncating(before[index]))]++;
        }

        return Cheapest(sampled, crossing, before.Length, stride, crossers.Length);
    }

    /// <summary>The larger class of a change.</summary>
    public static int Class<T>(FloatShape shape, T before, T after)
        where T : unmanaged, IBinaryInteger<T> =>
        (int)Math.Max(shape.Class(uint.CreateTruncating(before)), shape.Class(uint.CreateTruncating(after)));

    private static int Cheapest(ReadOnlySpan<int> sampled, ReadOnlySpan<int> crossing, int units, int stride, int count)
    {
        int best = -1;
        long bestCost = ListCost(units, count);
        long below = 0;
        int lower = 0;
        for (int c = 0; c < sampled.Length; c++)
        {
            below += sampled[c];
            lower += crossing[c];
            if (crossing[c] == 0 || lower < FewestCrossers)
            {
                continue;
            }

            long among = Math.Clamp(below * stride, lower, units);
            long cost = ListCost(among, lower) + ListCost(units, count - lower) + (LevelBits << 8);
            if (cost < bestCost)
            {
                (best, bestCost) = (c, cost);
            }
        }

        return best;
    }

    /// <summary>Roughly the cost of a list of gaps, in 1/256 bits: log2 of the mean gap and 1.5 bits each.</summary>
    private static long ListCost(long among, int count) => count == 0 ? 0 : count * (Log2(among) - Log2(count) + 384);

    /// <summary>log2 in 1/256, linear between powers of two.</summary>
    private static long Log2(long value)
    {
        int whole = BitOperations.Log2((ulong)value);
        return ((long)whole << 8) + ((value << 8) >> whole) - 256;
    }
}
