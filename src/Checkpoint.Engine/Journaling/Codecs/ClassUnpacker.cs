using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Reads the class part of a class code into bit strings and steps, before any element is looked at. Everything is checked against
/// the chunk's size, so that nothing grows beyond the work arrays whatever the stream says.
/// </summary>
internal ref struct ClassUnpacker(WorkArrays arrays, FloatShape shape, int units)
{
    private ClassParameters parameters = new();
    private int bits;
    private int nextWord;
    private int nextStep;

    /// <summary>Reads all classes.</summary>
    /// <param name="reader">The stream, behind its crosser section.</param>
    /// <param name="classes">Receives them; room for <see cref="WorkArrays.ClassCount"/>.</param>
    /// <returns>How many.</returns>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    public int Read<T>(ref BitReader reader, scoped Span<UnpackedClass> classes)
        where T : unmanaged, IBinaryInteger<T>
    {
        arrays.Strings.AsSpan(0, units / 64 + 2 * WorkArrays.ClassCount + 8).Clear();
        int count = reader.ReadCount(WorkArrays.ClassCount);
        int previous = -1;
        for (int index = 0; index < count; index++)
        {
            int c = index == 0 ? (int)reader.Read(8) : previous + 1 + (int)reader.ReadUnary(shape.ClassMask);
            if (c > shape.ClassMask)
            {
                CodecDamage.Throw("a class is out of range");
            }

            classes[index] = ReadClass<T>(ref reader, c);
            previous = c;
        }

        return count;
    }

    private UnpackedClass ReadClass<T>(ref BitReader reader, int c)
        where T : unmanaged, IBinaryInteger<T>
    {
        int room = units - bits;
        int coded = reader.ReadCount(room);
        bool complement = reader.ReadBit();
        int changes = complement ? reader.ReadCount(room - coded) : coded;
        if (changes == 0)
        {
            CodecDamage.Throw("a class has no change");
        }

        if (coded > 0)
        {
            parameters.PredictedGapK = FlagList.ReadParameter(ref reader, parameters.PredictedGapK);
        }

        Span<ulong> flags = arrays.Strings.AsSpan(nextWord);
        int length = GapList.Read(ref reader, coded, parameters.PredictedGapK, flags, complement ? coded + changes : room);
        parameters.PredictedGapK += coded > 0 ? 1 : 0;
        if (complement)
        {
            length = coded + changes;
            Invert(flags, length);
        }

        UnpackedClass unpacked = new(c, nextWord, length, complement, nextStep, changes);
        ReadSteps(ref reader, arrays.Steps<T>().Slice(nextStep, changes));
        bits += length;
        nextWord += (length + 63) / 64 + 1;
        nextStep += changes;
        return unpacked;
    }

    private void ReadSteps<T>(ref BitReader reader, Span<T> steps)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (int first = 0; first < steps.Length; first += 32)
        {
            int end = Math.Min(32, steps.Length - first);
            uint signs = (uint)reader.Read(end);
            foreach (ref T step in steps.Slice(first, end))
            {
                step = T.One - T.CreateTruncating((signs & 1) << 1);
                signs >>= 1;
            }
        }

        FlagList.Read(ref reader, arrays.Flags, steps.Length, ref parameters.FlagK);
        bool any = false;
        for (int first = 0; first < steps.Length; first += 64)
        {
            ulong word = arrays.Flags[first >> 6];
            if (word != 0 && !any)
            {
                any = true;
                parameters.MagnitudeK = FlagList.ReadParameter(ref reader, parameters.MagnitudeK);
            }

            for (; word != 0; word &= word - 1)
            {
                uint magnitude = RiceCode.Read(ref reader, parameters.MagnitudeK) + 2;
                steps[first + BitOperations.TrailingZeroCount(word)] *= T.CreateTruncating(magnitude);
            }
        }
    }

    private static void Invert(Span<ulong> flags, int length)
    {
        foreach (ref ulong word in flags[..((length + 63) / 64)])
        {
            word = ~word;
        }

        if ((length & 63) != 0)
        {
            flags[length >> 6] &= (1UL << (length & 63)) - 1;
        }
    }
}
