using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Reads the crosser section of a class code: finds the crossers and their new bits. They are put in place after the classes,
/// because until then every element must show the class that it has on the near side.
/// </summary>
internal ref struct CrosserReader<T>(FloatShape shape, Span<T> elements, WorkArrays arrays, IClassPath path, bool backward)
    where T : unmanaged, IBinaryInteger<T>
{
    private readonly Span<T> elements = elements;
    private int count;

    /// <summary>Reads the section into <see cref="WorkArrays.Crossing"/> and the work arrays that <see cref="PutInPlace"/> uses.</summary>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    public void Read(ref BitReader reader)
    {
        arrays.Crossing.AsSpan(0, elements.Length / 64 + 1).Clear();
        uint levels = reader.ReadUnary(2);
        if (levels == 0)
        {
            return;
        }

        int high = ReadNumbers(ref reader);
        Mark(arrays.Crossers.AsSpan(0, high));
        if (levels == 2)
        {
            int top = (int)reader.Read(8);
            int low = ReadNumbers(ref reader);
            Span<int> positions = arrays.Crossers.AsSpan(high, low);
            path.Positions<T>(shape, elements, top, positions);
            Mark(positions);
        }

        int k = 1;
        FlagList.Read(ref reader, arrays.Flags, count, ref k);
        reader.ReadString(arrays.Strings, count);
        ReadValues(ref reader, 0, high);
        ReadValues(ref reader, high, count);
    }

    /// <summary>Writes the new bits of the crossers into the elements.</summary>
    public readonly void PutInPlace()
    {
        for (int index = 0; index < count; index++)
        {
            elements[arrays.Crossers[index]] = T.CreateTruncating(arrays.Gaps[index]);
        }
    }

    private int ReadNumbers(ref BitReader reader)
    {
        int numbers = reader.ReadCount(elements.Length / 4 - count);
        if (numbers == 0)
        {
            return 0;
        }

        int k = (int)reader.Read(5);
        long next = 0;
        foreach (ref int number in arrays.Crossers.AsSpan(count, numbers))
        {
            long position = next + GapList.ReadGap(ref reader, k, (uint)elements.Length);
            if (position >= elements.Length)
            {
                CodecDamage.Throw("a crosser lies behind the end");
            }

            number = (int)position;
            next = position + 1;
        }

        count += numbers;
        return numbers;
    }

    private readonly void Mark(ReadOnlySpan<int> positions)
    {
        foreach (int position in positions)
        {
            arrays.Crossing[position >> 6] |= 1UL << position;
        }
    }

    private readonly void ReadValues(ref BitReader reader, int first, int end)
    {
        if (first == end)
        {
            return;
        }

        int k = (int)reader.Read(2);
        for (int index = first; index < end; index++)
        {
            uint length = RiceCode.Read(ref reader, k);
            if (length >= (uint)shape.Width)
            {
                CodecDamage.Throw("a crosser's value is out of range");
            }

            long value = (1L << (int)length) + (long)reader.Read((int)length) - 1;
            bool flips = (arrays.Flags[index >> 6] >> index & 1) != 0;
            bool grows = (arrays.Strings[index >> 6] >> index & 1) != 0;
            arrays.Gaps[index] = NewBits(uint.CreateTruncating(elements[arrays.Crossers[index]]), value + (flips ? 0 : 1), flips, grows);
        }
    }

    private readonly uint NewBits(uint old, long change, bool flips, bool grows)
    {
        long magnitude = (old & ~shape.Sign) + (grows != backward ? change : -change);
        if (magnitude < 0 || magnitude >= shape.Sign)
        {
            CodecDamage.Throw("a crosser's value is out of range");
        }

        return ((old & shape.Sign) ^ (flips ? shape.Sign : 0)) | (uint)magnitude;
    }
}
