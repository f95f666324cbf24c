using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Writes the class part of a class code: per class with a change, ascending, which of its elements changed and by how much.
/// The format is in docs/format-codec.md; <see cref="ClassUnpacker"/> reads it.
/// </summary>
internal ref struct ClassWriter(WorkArrays arrays, IClassPath path)
{
    // All counts and parameters of a class together take less.
    private const int HeaderBits = 512;

    private ClassParameters parameters = new();

    /// <summary>Writes all classes.</summary>
    /// <returns>Whether they fit into the stream; if not, it holds nothing of use.</returns>
    public bool TryWrite<T>(ref BitWriter writer)
        where T : unmanaged, IBinaryInteger<T>
    {
        int classes = 0;
        foreach (int changes in arrays.ClassChanges)
        {
            classes += changes > 0 ? 1 : 0;
        }

        if (writer.BitsLeft < HeaderBits)
        {
            return false;
        }

        writer.WriteCount((uint)classes);
        int previous = -1;
        for (int c = 0; c < WorkArrays.ClassCount; c++)
        {
            if (arrays.ClassChanges[c] > 0)
            {
                if (!TryWriteClass<T>(ref writer, c, previous))
                {
                    return false;
                }

                previous = c;
            }
        }

        return true;
    }

    private bool TryWriteClass<T>(ref BitWriter writer, int c, int previous)
        where T : unmanaged, IBinaryInteger<T>
    {
        int elements = path.Fill(c);
        int changes = arrays.ClassChanges[c];
        bool complement = changes * 2L > elements;
        int coded = GapList.Collect(arrays.Strings, elements, complement, arrays.Gaps);
        (int k, long bits) = coded == 0 ? (0, 0) : RiceCode.Best<uint>(arrays.Gaps.AsSpan(0, coded), plainZero: true);
        if (writer.BitsLeft < bits + changes + FlagList.MostBits(changes) + HeaderBits)
        {
            return false;
        }

        if (previous < 0)
        {
            writer.Write((uint)c, 8);
        }
        else
        {
            writer.WriteUnary((uint)(c - previous - 1));
        }

        writer.WriteCount((uint)coded);
        writer.Write(complement ? 1UL : 0, 1);
        if (complement)
        {
            writer.WriteCount((uint)changes);
        }

        if (coded > 0)
        {
            writer.WriteDifference(k - parameters.PredictedGapK);
            GapList.Write(ref writer, arrays.Gaps.AsSpan(0, coded), k);
            parameters.PredictedGapK = k + 1;
        }

        return TryWriteSteps(ref writer, arrays.SortedSteps<T>().Slice(arrays.FirstStep[c], changes));
    }

    /// <summary>Writes the steps of one class; they are zigzag, and are overwritten.</summary>
    private bool TryWriteSteps<T>(ref BitWriter writer, Span<T> steps)
        where T : unmanaged, IBinaryInteger<T>
    {
        StepFlags.Signs(steps, arrays.Flags);
        writer.WriteString(arrays.Flags, steps.Length);
        int large = StepFlags.TakeLarge(steps, arrays.Flags);
        FlagList.Write(ref writer, arrays.Flags, steps.Length, large, arrays.Gaps, ref parameters.FlagK);
        if (large == 0)
        {
            return true;
        }

        ReadOnlySpan<T> magnitudes = steps[..large];
        (int k, long bits) = RiceCode.Best(magnitudes, plainZero: false);
        if (writer.BitsLeft < bits + HeaderBits)
        {
            return false;
        }

        writer.WriteDifference(k - parameters.MagnitudeK);
        parameters.MagnitudeK = k;
        foreach (T magnitude in magnitudes)
        {
            RiceCode.Write(ref writer, uint.CreateTruncating(magnitude), k);
        }

        return true;
    }
}
