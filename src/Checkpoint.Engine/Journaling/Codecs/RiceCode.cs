using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Rice codes: the quotient by 2^k in unary, then k lower bits. A quotient of <see cref="EscapeQuotient"/> or more is
/// <see cref="EscapeQuotient"/> zeros and the whole value in 32 bits, so that no value costs more than 56 bits.
/// In a list of gaps k = 0 has no escape: the code is then the plain bitmap.
/// </summary>
internal static class RiceCode
{
    /// <summary>Zeros that announce a whole value.</summary>
    public const int EscapeQuotient = 24;

    /// <summary>Largest parameter.</summary>
    public const int MaxK = 31;

    private const int EscapeBits = EscapeQuotient + 32;

    /// <summary>The parameter that takes the fewest bits, found by stepping downhill from what the mean suggests.</summary>
    /// <param name="values">Not empty.</param>
    /// <param name="plainZero">Whether k = 0 has no escape.</param>
    /// <returns>The parameter and the bits of all codes with it.</returns>
    public static (int K, long Bits) Best<T>(ReadOnlySpan<T> values, bool plainZero)
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong sum = 0;
        foreach (T value in values)
        {
            sum += uint.CreateTruncating(value);
        }

        // A geometric distribution is coded best with 2^k near its mean times ln 2 (45/64).
        int k = BitOperations.Log2(Math.Max(1, sum * 45 / 64 / (ulong)values.Length));
        long bits = Cost(values, k, plainZero, sum);
        int direction = k < MaxK && Cost(values, k + 1, plainZero, sum) < bits ? 1 : -1;
        while (k + direction is >= 0 and <= MaxK)
        {
            long next = Cost(values, k + direction, plainZero, sum);
            if (next >= bits)
            {
                break;
            }

            (k, bits) = (k + direction, next);
        }

        return (k, bits);
    }

    /// <summary>Writes one value, with escape.</summary>
    public static void Write(ref BitWriter writer, uint value, int k)
    {
        uint quotient = value >> k;
        if (quotient < EscapeQuotient)
        {
            // At most 23 zeros, the one and 31 bits.
            ulong lower = value & ((1UL << k) - 1);
            writer.Write(((lower << 1) | 1) << (int)quotient, (int)quotient + 1 + k);
        }
        else
        {
            writer.Write((ulong)value << EscapeQuotient, EscapeBits);
        }
    }

    /// <summary>Reads one value, with escape.</summary>
    public static uint Read(ref BitReader reader, int k)
    {
        ulong window = reader.Window();
        int quotient = BitOperations.TrailingZeroCount(window);
        if (quotient < EscapeQuotient)
        {
            uint lower = (uint)((window >> (quotient + 1)) & ((1UL << k) - 1));
            reader.Skip(quotient + 1 + k);
            return ((uint)quotient << k) + lower;
        }

        reader.Skip(EscapeBits);
        return (uint)(window >> EscapeQuotient);
    }

    private static long Cost<T>(ReadOnlySpan<T> values, int k, bool plainZero, ulong sum)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (k == 0 && plainZero)
        {
            return (long)sum + values.Length;
        }

        long bits = 0;
        foreach (T value in values)
        {
            uint quotient = uint.CreateTruncating(value) >> k;
            bits += quotient < EscapeQuotient ? quotient + 1 + (uint)k : EscapeBits;
        }

        return bits;
    }
}
