using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>Takes zigzag steps apart: the sign bits, the flags "more than one unit", and the magnitudes of those.</summary>
internal static class StepFlags
{
    /// <summary>Sign bits: 1 for a step toward zero.</summary>
    public static void Signs<T>(ReadOnlySpan<T> steps, Span<ulong> signs)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (int first = 0; first < steps.Length; first += 64)
        {
            ulong word = 0;
            int end = Math.Min(64, steps.Length - first);
            for (int bit = 0; bit < end; bit++)
            {
                word |= (ulong.CreateTruncating(steps[first + bit]) & 1) << bit;
            }

            signs[first >> 6] = word;
        }
    }

    /// <summary>Flags the steps of two units and more, and moves their magnitudes, less 2, to the front.</summary>
    /// <returns>How many.</returns>
    public static int TakeLarge<T>(Span<T> steps, Span<ulong> flags)
        where T : unmanaged, IBinaryInteger<T>
    {
        int large = 0;
        for (int first = 0; first < steps.Length; first += 64)
        {
            ulong word = 0;
            int end = Math.Min(64, steps.Length - first);
            for (int bit = 0; bit < end; bit++)
            {
                uint magnitude = (uint.CreateTruncating(steps[first + bit]) + 1) >> 1;

                // Written always and kept only when it counts: no branch. The place is never behind the step that was just read.
                steps[large] = magnitude > 1 ? T.CreateTruncating(magnitude - 2) : steps[large];
                large += magnitude > 1 ? 1 : 0;
                word |= (magnitude > 1 ? 1UL : 0) << bit;
            }

            flags[first >> 6] = word;
        }

        return large;
    }
}
