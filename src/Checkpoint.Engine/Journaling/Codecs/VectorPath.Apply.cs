using System.Numerics;
using System.Runtime.Intrinsics.X86;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>The decoding half.</summary>
internal sealed unsafe partial class VectorPath
{
    /// <inheritdoc/>
    public void Prepare<T>(FloatShape shape, ReadOnlySpan<T> elements)
        where T : unmanaged, IBinaryInteger<T>
    {
        Start(elements.Length);
        int whole = units & ~63;
        fixed (byte* classes = arrays.Classes)
        fixed (T* all = elements)
        {
            for (int first = 0; first < whole; first += 64)
            {
                VectorLanes.Classes(shape, all + first, classes + first);
            }

            if (whole < units)
            {
                T* rest = stackalloc T[64];
                elements[whole..].CopyTo(new Span<T>(rest, 64));
                VectorLanes.Classes(shape, rest, classes + whole);
            }
        }
    }

    /// <inheritdoc/>
    public void Positions<T>(FloatShape shape, ReadOnlySpan<T> elements, int top, Span<int> ranksToPositions)
        where T : unmanaged, IBinaryInteger<T>
    {
        fixed (byte* classes = arrays.Classes)
        fixed (ulong* crossing = arrays.Crossing)
        {
            int found = 0;
            int before = 0;
            for (int first = 0; first < units && found < ranksToPositions.Length; first += 64)
            {
                ulong members = VectorLanes.AtMost(classes + first, (byte)top) & Counted(crossing, first, units);
                int end = before + BitOperations.PopCount(members);
                for (; found < ranksToPositions.Length && ranksToPositions[found] < end; found++)
                {
                    ulong selected = Bmi2.X64.ParallelBitDeposit(1UL << (ranksToPositions[found] - before), members);
                    ranksToPositions[found] = first + BitOperations.TrailingZeroCount(selected);
                }

                before = end;
            }

            if (found < ranksToPositions.Length)
            {
                CodecDamage.Throw("a crosser lies behind the end");
            }
        }
    }

    /// <inheritdoc/>
    public void Apply<T>(FloatShape shape, Span<T> elements, ReadOnlySpan<UnpackedClass> classes, bool backward)
        where T : unmanaged, IBinaryInteger<T>
    {
        Span<T> steps = arrays.Steps<T>();
        if (backward)
        {
            int count = classes.IsEmpty ? 0 : classes[^1].FirstStep + classes[^1].Changes;
            foreach (ref T step in steps[..count])
            {
                step = T.Zero - step;
            }
        }

        fixed (
            byte* allClasses = arrays.Classes,
                smallClasses = small.Classes
        )
        fixed (
            ulong* crossing = arrays.Crossing,
                strings = arrays.Strings,
                smallChanged = small.Flags
        )
        fixed (
            T* all = elements,
                firstStep = steps,
                smallSteps = arrays.SortedSteps<T>()
        )
        {
            if (!classes.IsEmpty)
            {
                small.Draw(allClasses, units, crossing, null);
            }

            foreach (UnpackedClass unpacked in classes)
            {
                T* own = firstStep + unpacked.FirstStep;
                ulong* flags = strings + unpacked.FirstWord;
                if (unpacked.Class <= small.Top)
                {
                    Spread(smallClasses, small.Count, null, unpacked, flags, own, smallSteps, smallChanged);
                }
                else
                {
                    Spread(allClasses, units, crossing, unpacked, flags, own, all, null);
                }
            }

            if (small.Top >= 0)
            {
                AddSmall(all, smallSteps, allClasses, crossing, smallChanged);
            }
        }
    }

    /// <summary>
    /// Brings the steps of one class to its elements: adds them to the elements, or, where <paramref name="marks"/> is given, puts them
    /// down at their places and marks those.
    /// </summary>
    private static void Spread<T>(
        byte* classes,
        int count,
        ulong* excluded,
        UnpackedClass unpacked,
        ulong* flags,
        T* steps,
        T* target,
        ulong* marks
    )
        where T : unmanaged, IBinaryInteger<T>
    {
        int position = 0;
        int taken = 0;
        for (int first = 0; first < count && (taken < unpacked.Changes || unpacked.IsWhole); first += 64)
        {
            ulong members = VectorLanes.Equal(classes + first, (byte)unpacked.Class) & Counted(excluded, first, count);
            int added = BitOperations.PopCount(members);
            if (unpacked.IsWhole && position + added > unpacked.Length)
            {
                // Also keeps the window inside the string.
                CodecDamage.Throw("a class has more elements than it says");
            }

            ulong changed = Bmi2.X64.ParallelBitDeposit(VectorLanes.Window(flags, position), members);
            position += added;
            taken += BitOperations.PopCount(changed);
            if (marks != null)
            {
                marks[first >> 6] |= changed;
            }

            for (; changed != 0; changed &= changed - 1)
            {
                T* place = target + first + BitOperations.TrailingZeroCount(changed);
                *place = marks != null ? *steps : *place + *steps;
                steps++;
            }
        }

        if (taken != unpacked.Changes || (unpacked.IsWhole && position != unpacked.Length))
        {
            CodecDamage.Throw("a class has not the elements that it says");
        }
    }

    /// <summary>Adds the steps that were put down in the list of small classes to the elements.</summary>
    private void AddSmall<T>(T* elements, T* steps, byte* classes, ulong* crossing, ulong* marks)
        where T : unmanaged, IBinaryInteger<T>
    {
        int position = 0;
        for (int first = 0; first < units; first += 64)
        {
            ulong members = VectorLanes.AtMost(classes + first, (byte)small.Top) & Counted(crossing, first, units);
            ulong marked = VectorLanes.Window(marks, position);
            ulong changed = Bmi2.X64.ParallelBitDeposit(marked, members);
            for (; changed != 0; changed &= changed - 1, marked &= marked - 1)
            {
                elements[first + BitOperations.TrailingZeroCount(changed)] += steps[position + BitOperations.TrailingZeroCount(marked)];
            }

            position += BitOperations.PopCount(members);
        }
    }
}
