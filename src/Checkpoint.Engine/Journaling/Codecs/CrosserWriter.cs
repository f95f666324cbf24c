using System.Numerics;
using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Writes the crosser section of a class code: the changes whose sign or exponent differ, which no class can hold in both
/// directions. The format is in docs/format-codec.md; <see cref="CrosserReader{T}"/> reads it.
/// </summary>
internal ref struct CrosserWriter<T>(FloatShape shape, ReadOnlySpan<T> before, ReadOnlySpan<T> after, WorkArrays arrays, IClassPath path)
    where T : unmanaged, IBinaryInteger<T>
{
    /// <summary>Largest parameter of a value's length.</summary>
    public const int MaxLengthK = 3;

    private const int HeaderBits = 256;
    private readonly ReadOnlySpan<T> before = before;
    private readonly ReadOnlySpan<T> after = after;

    /// <summary>Writes the section, and leaves the crossers in <see cref="WorkArrays.Crossing"/>.</summary>
    /// <param name="writer">The stream.</param>
    /// <param name="count">How many crossers the scan found.</param>
    /// <returns>Whether it fits.</returns>
    public bool TryWrite(ref BitWriter writer, int count)
    {
        arrays.Crossing.AsSpan(0, before.Length / 64 + 1).Clear();
        if (writer.BitsLeft < HeaderBits)
        {
            return false;
        }

        if (count == 0)
        {
            writer.WriteUnary(0);
            return true;
        }

        Span<int> crossers = arrays.Crossers.AsSpan(0, count);
        int top = CrosserLevel.Choose(shape, before, after, crossers);
        int high = Partition(crossers, top);
        writer.WriteUnary(top < 0 ? 1u : 2u);
        return TryWriteHigh(ref writer, crossers[..high])
            && (top < 0 || TryWriteLow(ref writer, top, crossers[high..]))
            && TryWriteChanges(ref writer, crossers, high);
    }

    /// <summary>Moves the crossers of class ≤ top behind the others; both parts stay ascending.</summary>
    /// <returns>How many others.</returns>
    private readonly int Partition(Span<int> crossers, int top)
    {
        Span<int> low = MemoryMarshal.Cast<uint, int>(arrays.Gaps.AsSpan());
        int lows = 0;
        int highs = 0;
        foreach (int position in crossers)
        {
            if (CrosserLevel.Class(shape, before[position], after[position]) <= top)
            {
                low[lows++] = position;
            }
            else
            {
                crossers[highs++] = position;
            }
        }

        low[..lows].CopyTo(crossers[highs..]);
        return highs;
    }

    private readonly bool TryWriteHigh(ref BitWriter writer, ReadOnlySpan<int> positions)
    {
        Span<uint> numbers = arrays.Gaps.AsSpan(0, positions.Length);
        MemoryMarshal.Cast<int, uint>(positions).CopyTo(numbers);
        return TryWriteNumbers(ref writer, numbers) && Mark(positions);
    }

    private readonly bool TryWriteLow(ref BitWriter writer, int top, ReadOnlySpan<int> positions)
    {
        Span<uint> numbers = arrays.Gaps.AsSpan(0, positions.Length);
        path.Ranks(shape, before, top, positions, numbers);
        writer.Write((uint)top, 8);
        return TryWriteNumbers(ref writer, numbers) && Mark(positions);
    }

    private readonly bool Mark(ReadOnlySpan<int> positions)
    {
        foreach (int position in positions)
        {
            arrays.Crossing[position >> 6] |= 1UL << position;
        }

        return true;
    }

    /// <summary>Writes count, parameter and gaps of ascending numbers, which it overwrites.</summary>
    private static bool TryWriteNumbers(ref BitWriter writer, Span<uint> numbers)
    {
        if (writer.BitsLeft < HeaderBits)
        {
            return false;
        }

        writer.WriteCount((uint)numbers.Length);
        if (numbers.IsEmpty)
        {
            return true;
        }

        uint next = 0;
        foreach (ref uint number in numbers)
        {
            (number, next) = (number - next, number + 1);
        }

        (int k, long bits) = RiceCode.Best<uint>(numbers, plainZero: true);
        if (writer.BitsLeft < bits + HeaderBits)
        {
            return false;
        }

        writer.Write((uint)k, 5);
        GapList.Write(ref writer, numbers, k);
        return true;
    }

    private readonly bool TryWriteChanges(ref BitWriter writer, ReadOnlySpan<int> crossers, int high)
    {
        if (writer.BitsLeft < FlagList.MostBits(crossers.Length) + crossers.Length + HeaderBits)
        {
            return false;
        }

        int flips = 0;
        arrays.Flags.AsSpan(0, crossers.Length / 64 + 1).Clear();
        arrays.Strings.AsSpan(0, crossers.Length / 64 + 1).Clear();
        for (int index = 0; index < crossers.Length; index++)
        {
            (bool flips1, bool grows, _) = Change(crossers[index]);
            flips += flips1 ? 1 : 0;
            arrays.Flags[index >> 6] |= flips1 ? 1UL << index : 0;
            arrays.Strings[index >> 6] |= grows ? 1UL << index : 0;
        }

        int k = 1;
        FlagList.Write(ref writer, arrays.Flags, crossers.Length, flips, arrays.Gaps, ref k);
        writer.WriteString(arrays.Strings, crossers.Length);
        return TryWriteValues(ref writer, crossers[..high]) && TryWriteValues(ref writer, crossers[high..]);
    }

    /// <summary>Writes by how much the magnitudes of one level change: the length of v + 1, then its lower bits.</summary>
    private readonly bool TryWriteValues(ref BitWriter writer, ReadOnlySpan<int> crossers)
    {
        if (crossers.IsEmpty)
        {
            return true;
        }

        Span<uint> values = arrays.Gaps.AsSpan(0, crossers.Length);
        Span<long> costs = stackalloc long[MaxLengthK + 1];
        costs.Clear();
        for (int index = 0; index < crossers.Length; index++)
        {
            values[index] = Change(crossers[index]).Value + 1;
            int length = BitOperations.Log2(values[index]);
            for (int k = 0; k <= MaxLengthK; k++)
            {
                costs[k] += (length >> k) < RiceCode.EscapeQuotient ? (length >> k) + 1 + k + length : 2 * 32 + length;
            }
        }

        int best = 0;
        for (int k = 1; k <= MaxLengthK; k++)
        {
            best = costs[k] < costs[best] ? k : best;
        }

        if (writer.BitsLeft < costs[best] + HeaderBits)
        {
            return false;
        }

        writer.Write((uint)best, 2);
        foreach (uint value in values)
        {
            int length = BitOperations.Log2(value);
            RiceCode.Write(ref writer, (uint)length, best);
            writer.Write(value & ((1u << length) - 1), length);
        }

        return true;
    }

    private readonly (bool Flips, bool Grows, uint Value) Change(int position)
    {
        uint old = uint.CreateTruncating(before[position]);
        uint now = uint.CreateTruncating(after[position]);
        bool flips = ((old ^ now) & shape.Sign) != 0;
        int magnitude = (int)(old & ~shape.Sign);
        int change = (int)(now & ~shape.Sign) - magnitude;
        return (flips, change > 0, (uint)Math.Abs(change) - (flips ? 0u : 1u));
    }
}
