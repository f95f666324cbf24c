using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>The ones of a bit string as gaps: how many zeros stand before each.</summary>
internal static class GapList
{
    /// <summary>Gaps of the ones, or of the zeros.</summary>
    /// <param name="bits">The string; what stands behind its length does not matter.</param>
    /// <param name="length">Bits.</param>
    /// <param name="complement">Whether the zeros are listed.</param>
    /// <param name="gaps">Room for all of them.</param>
    /// <returns>How many.</returns>
    public static int Collect(ReadOnlySpan<ulong> bits, int length, bool complement, Span<uint> gaps)
    {
        ulong flip = complement ? ulong.MaxValue : 0;
        int count = 0;
        int next = 0;
        for (int first = 0; first < length; first += 64)
        {
            ulong word = bits[first >> 6] ^ flip;
            if (length - first < 64)
            {
                word &= (1UL << (length - first)) - 1;
            }

            for (; word != 0; word &= word - 1)
            {
                int position = first + BitOperations.TrailingZeroCount(word);
                gaps[count++] = (uint)(position - next);
                next = position + 1;
            }
        }

        return count;
    }

    /// <summary>Writes gaps; with k = 0 that is the bitmap up to the last one.</summary>
    public static void Write(ref BitWriter writer, ReadOnlySpan<uint> gaps, int k)
    {
        foreach (uint gap in gaps)
        {
            if (k == 0)
            {
                writer.WriteUnary(gap);
            }
            else
            {
                RiceCode.Write(ref writer, gap, k);
            }
        }
    }

    /// <summary>Reads the next gap.</summary>
    /// <param name="reader">The stream.</param>
    /// <param name="k">The parameter; 0 means unary without escape.</param>
    /// <param name="most">The largest gap that can be meant.</param>
    public static uint ReadGap(ref BitReader reader, int k, uint most) => k == 0 ? reader.ReadUnary(most) : RiceCode.Read(ref reader, k);

    /// <summary>Reads gaps back into a bit string of zeros.</summary>
    /// <param name="reader">The stream.</param>
    /// <param name="count">How many ones.</param>
    /// <param name="k">The parameter.</param>
    /// <param name="bits">The string; all zero.</param>
    /// <param name="limit">Bits that the string may have.</param>
    /// <returns>Bits up to and with the last one.</returns>
    /// <exception cref="CheckpointException">JournalDamaged: a one behind the limit.</exception>
    public static int Read(ref BitReader reader, int count, int k, Span<ulong> bits, int limit)
    {
        long next = 0;
        for (int index = 0; index < count; index++)
        {
            long position = next + ReadGap(ref reader, k, (uint)limit);
            if (position >= limit)
            {
                CodecDamage.Throw("a position lies behind the end");
            }

            bits[(int)position >> 6] |= 1UL << (int)position;
            next = position + 1;
        }

        return (int)next;
    }
}
