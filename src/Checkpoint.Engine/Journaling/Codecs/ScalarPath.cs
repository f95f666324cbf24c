using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Element by element: for processors without fast bit deposit and extract, and what the vector path is tested against.
/// A counter a class numbers the elements, so that one pass does for all classes.
/// </summary>
internal sealed class ScalarPath(WorkArrays arrays) : IClassPath
{
    private readonly int[] elements = new int[WorkArrays.ClassCount];
    private readonly int[] next = new int[WorkArrays.ClassCount];
    private readonly int[] stepsTaken = new int[WorkArrays.ClassCount];

    private readonly ChangeRanks ranks = new();

    /// <inheritdoc/>
    public (int Crossers, int Others)? Scan<T>(FloatShape shape, ReadOnlySpan<T> before, ReadOnlySpan<T> after)
        where T : unmanaged, IBinaryInteger<T>
    {
        Array.Clear(elements);
        Array.Clear(arrays.ClassChanges);
        Span<T> steps = arrays.Steps<T>();
        int crossers = 0;
        int others = 0;
        int mostCrossers = before.Length / 4;
        for (int index = 0; index < before.Length; index++)
        {
            uint old = uint.CreateTruncating(before[index]);
            uint now = uint.CreateTruncating(after[index]);
            uint c = shape.Class(old);
            if (old != now)
            {
                if (shape.Crosses(old, now))
                {
                    if (crossers == mostCrossers)
                    {
                        return null;
                    }

                    arrays.Crossers[crossers++] = index;
                    continue;
                }

                ranks.Add(others, elements[c]);
                arrays.ChangeClasses[others] = (byte)c;
                arrays.ClassChanges[c]++;
                steps[others++] = StepSort.ZigZag<T>((int)(now - old));
            }

            elements[c]++;
        }

        StepSort.ByClass<T>(arrays, others);
        ranks.SortByClass(arrays, others);
        return (crossers, others);
    }

    /// <inheritdoc/>
    public void Ranks<T>(FloatShape shape, ReadOnlySpan<T> elements, int top, ReadOnlySpan<int> positions, Span<uint> ranks)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint rank = 0;
        int index = 0;
        for (int found = 0; found < positions.Length; found++)
        {
            for (; index < positions[found]; index++)
            {
                rank += Counts(shape, elements, index, top) ? 1u : 0;
            }

            ranks[found] = rank;
        }
    }

    /// <inheritdoc/>
    public int Fill(int elementClass)
    {
        int length = elements[elementClass];
        Span<ulong> flags = arrays.Strings.AsSpan(0, (length + 63) / 64);
        flags.Clear();
        foreach (int rank in ranks.Of(arrays, elementClass))
        {
            flags[rank >> 6] |= 1UL << rank;
        }

        return length;
    }

    /// <inheritdoc/>
    public void Prepare<T>(FloatShape shape, ReadOnlySpan<T> elements)
        where T : unmanaged, IBinaryInteger<T>
    {
        // Nothing to keep: Apply sees each element before it changes it.
    }

    /// <inheritdoc/>
    public void Positions<T>(FloatShape shape, ReadOnlySpan<T> elements, int top, Span<int> ranksToPositions)
        where T : unmanaged, IBinaryInteger<T>
    {
        int rank = 0;
        int found = 0;
        for (int index = 0; found < ranksToPositions.Length; index++)
        {
            if (index == elements.Length)
            {
                CodecDamage.Throw("a crosser lies behind the end");
            }

            if (Counts(shape, elements, index, top) && rank++ == ranksToPositions[found])
            {
                ranksToPositions[found++] = index;
            }
        }
    }

    /// <inheritdoc/>
    public void Apply<T>(FloatShape shape, Span<T> elements, ReadOnlySpan<UnpackedClass> classes, bool backward)
        where T : unmanaged, IBinaryInteger<T>
    {
        Span<UnpackedClass> byClass = stackalloc UnpackedClass[WorkArrays.ClassCount];
        byClass.Clear();
        Array.Clear(this.elements);
        Array.Clear(stepsTaken);
        Array.Fill(next, int.MaxValue);
        foreach (UnpackedClass unpacked in classes)
        {
            byClass[unpacked.Class] = unpacked;
            next[unpacked.Class] = NextOne(unpacked, 0);
        }

        ReadOnlySpan<T> steps = arrays.Steps<T>();
        for (int index = 0; index < elements.Length; index++)
        {
            int c = (int)shape.Class(uint.CreateTruncating(elements[index]));
            if (IsCrossing(index))
            {
                continue;
            }

            int rank = this.elements[c]++;
            if (rank == next[c])
            {
                T step = steps[byClass[c].FirstStep + stepsTaken[c]++];
                elements[index] = backward ? elements[index] - step : elements[index] + step;
                next[c] = NextOne(byClass[c], rank + 1);
            }
        }

        foreach (UnpackedClass unpacked in classes)
        {
            if (stepsTaken[unpacked.Class] != unpacked.Changes || (unpacked.IsWhole && this.elements[unpacked.Class] != unpacked.Length))
            {
                CodecDamage.Throw("a class has not the elements that it says");
            }
        }
    }

    private bool IsCrossing(int index) => (arrays.Crossing[index >> 6] >> index & 1) != 0;

    private bool Counts<T>(FloatShape shape, ReadOnlySpan<T> elements, int index, int top)
        where T : unmanaged, IBinaryInteger<T> => shape.Class(uint.CreateTruncating(elements[index])) <= (uint)top && !IsCrossing(index);

    private int NextOne(UnpackedClass unpacked, int from)
    {
        while (from < unpacked.Length)
        {
            ulong word = arrays.Strings[unpacked.FirstWord + (from >> 6)] >> from;
            if (word != 0)
            {
                return from + BitOperations.TrailingZeroCount(word);
            }

            from = (from | 63) + 1;
        }

        return int.MaxValue;
    }
}
