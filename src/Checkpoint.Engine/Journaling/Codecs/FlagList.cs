namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// One flag an element of a list whose length both sides know: raw bits, or, for twelve flags and more where that is shorter,
/// gaps between the rarer of the two values.
/// <code>
/// length &lt; 12   the flags
/// otherwise     0, the flags   or   1, count, complement bit, difference of k, gaps (neither k nor gaps if the count is 0)
/// </code>
/// </summary>
internal static class FlagList
{
    private const int ShortestGapList = 12;

    /// <summary>Most bits that a list can take.</summary>
    public static long MostBits(int length) => length + 1L;

    /// <summary>Writes a list.</summary>
    /// <param name="writer">The stream; has room for <see cref="MostBits"/>.</param>
    /// <param name="bits">The flags.</param>
    /// <param name="length">How many.</param>
    /// <param name="ones">How many are set.</param>
    /// <param name="gaps">Work array: room for half of the length.</param>
    /// <param name="k">Parameter of the list before; set to this one's, if it has one.</param>
    public static void Write(ref BitWriter writer, ReadOnlySpan<ulong> bits, int length, int ones, Span<uint> gaps, ref int k)
    {
        if (length < ShortestGapList)
        {
            writer.WriteString(bits, length);
            return;
        }

        bool complement = ones * 2L > length;
        int coded = complement ? length - ones : ones;
        (int best, long cost) = (k, 0);
        if (coded > 0)
        {
            int count = GapList.Collect(bits, length, complement, gaps);
            (best, cost) = RiceCode.Best<uint>(gaps[..count], plainZero: true);
            cost += BitWriter.DifferenceBits(best - k);
        }

        if (BitWriter.CountBits((uint)coded) + 1 + cost >= length)
        {
            writer.Write(0, 1);
            writer.WriteString(bits, length);
            return;
        }

        writer.Write(1, 1);
        writer.WriteCount((uint)coded);
        writer.Write(complement ? 1UL : 0, 1);
        if (coded > 0)
        {
            writer.WriteDifference(best - k);
            GapList.Write(ref writer, gaps[..coded], best);
            k = best;
        }
    }

    /// <summary>Reads a list.</summary>
    /// <param name="reader">The stream.</param>
    /// <param name="bits">Room for the flags in whole words; overwritten.</param>
    /// <param name="length">How many.</param>
    /// <param name="k">Parameter of the list before; set to this one's, if it has one.</param>
    public static void Read(ref BitReader reader, Span<ulong> bits, int length, ref int k)
    {
        if (length < ShortestGapList || !reader.ReadBit())
        {
            reader.ReadString(bits, length);
            return;
        }

        Span<ulong> words = bits[..((length + 63) / 64)];
        words.Clear();
        int coded = reader.ReadCount(length);
        bool complement = reader.ReadBit();
        if (coded > 0)
        {
            k = ReadParameter(ref reader, k);
            GapList.Read(ref reader, coded, k, words, length);
        }

        if (complement)
        {
            foreach (ref ulong word in words)
            {
                word = ~word;
            }
        }

        if ((length & 63) != 0)
        {
            words[^1] &= (1UL << (length & 63)) - 1;
        }
    }

    /// <summary>Reads a parameter as difference to a prediction.</summary>
    /// <exception cref="CheckpointException">JournalDamaged: not a parameter.</exception>
    public static int ReadParameter(ref BitReader reader, int predicted)
    {
        int k = predicted + reader.ReadDifference();
        if (k is < 0 or > RiceCode.MaxK)
        {
            CodecDamage.Throw("a parameter is out of range");
        }

        return k;
    }
}
