using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>Brings the changes of a chunk from the order of the elements into the order of the classes (a counting sort).</summary>
internal static class StepSort
{
    /// <summary>Writes a step as 1, 2, 3, 4, ... for -1, 1, -2, 2, ...</summary>
    public static T ZigZag<T>(int step)
        where T : unmanaged, IBinaryInteger<T> => T.CreateTruncating((uint)((step << 1) ^ (step >> 31)));

    /// <summary>Sorts; <see cref="WorkArrays.ClassChanges"/> holds the counts.</summary>
    /// <param name="arrays">Steps and their classes; receives the sorted steps.</param>
    /// <param name="count">How many changes.</param>
    public static void ByClass<T>(WorkArrays arrays, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        Span<int> next = stackalloc int[WorkArrays.ClassCount];
        Starts(arrays).CopyTo(next);
        ReadOnlySpan<byte> classes = arrays.ChangeClasses.AsSpan(0, count);
        ReadOnlySpan<T> steps = arrays.Steps<T>()[..count];
        Span<T> sorted = arrays.SortedSteps<T>();
        for (int index = 0; index < classes.Length; index++)
        {
            sorted[next[classes[index]]++] = steps[index];
        }
    }

    private static ReadOnlySpan<int> Starts(WorkArrays arrays)
    {
        int start = 0;
        for (int c = 0; c < WorkArrays.ClassCount; c++)
        {
            arrays.FirstStep[c] = start;
            start += arrays.ClassChanges[c];
        }

        return arrays.FirstStep;
    }
}
