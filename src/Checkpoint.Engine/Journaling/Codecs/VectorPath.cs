using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// 64 elements at a time, one class after the other: a comparison finds a class's elements, bit extract and deposit lead between
/// them and the class's own bit string. For x86-64 processors whose extract and deposit are fast.
/// </summary>
internal sealed unsafe partial class VectorPath(WorkArrays arrays) : IClassPath
{
    private readonly SmallClasses small = new();
    private int units;
    private bool smallTried;

    /// <inheritdoc/>
    public (int Crossers, int Others)? Scan<T>(FloatShape shape, ReadOnlySpan<T> before, ReadOnlySpan<T> after)
        where T : unmanaged, IBinaryInteger<T>
    {
        Start(before.Length);
        int whole = units & ~63;
        int crossers = 0;
        int others = 0;
        fixed (
            T* old = before,
                now = after
        )
        {
            if (!TryScan(shape, old, now, 0, whole, ref crossers, ref others))
            {
                return null;
            }
        }

        if (whole < units)
        {
            // The rest is filled up with elements that are equal on both sides.
            T* old = stackalloc T[64];
            T* now = stackalloc T[64];
            before[whole..].CopyTo(new Span<T>(old, 64));
            after[whole..].CopyTo(new Span<T>(now, 64));
            if (!TryScan(shape, old - whole, now - whole, whole, units, ref crossers, ref others))
            {
                return null;
            }
        }

        Array.Clear(arrays.ClassChanges);
        foreach (byte c in arrays.ChangeClasses.AsSpan(0, others))
        {
            arrays.ClassChanges[c]++;
        }

        StepSort.ByClass<T>(arrays, others);
        return (crossers, others);
    }

    /// <inheritdoc/>
    public void Ranks<T>(FloatShape shape, ReadOnlySpan<T> elements, int top, ReadOnlySpan<int> positions, Span<uint> ranks)
        where T : unmanaged, IBinaryInteger<T>
    {
        fixed (byte* classes = arrays.Classes)
        fixed (ulong* crossing = arrays.Crossing)
        {
            int before = 0;
            int word = 0;
            for (int index = 0; index < positions.Length; index++)
            {
                for (; word < positions[index] >> 6; word++)
                {
                    before += BitOperations.PopCount(VectorLanes.AtMost(classes + word * 64, (byte)top) & ~crossing[word]);
                }

                ulong members = VectorLanes.AtMost(classes + word * 64, (byte)top) & ~crossing[word];
                ranks[index] = (uint)(before + BitOperations.PopCount(members & ((1UL << positions[index]) - 1)));
            }
        }
    }

    /// <inheritdoc/>
    public int Fill(int elementClass)
    {
        fixed (
            byte* classes = arrays.Classes,
                smallClasses = small.Classes
        )
        fixed (
            ulong* changed = arrays.Changed,
                crossing = arrays.Crossing,
                smallChanged = small.Flags,
                flags = arrays.Strings
        )
        {
            if (!smallTried)
            {
                smallTried = true;
                small.Draw(classes, units, crossing, changed);
            }

            return elementClass <= small.Top
                ? Extract(smallClasses, small.Count, smallChanged, null, (byte)elementClass, flags)
                : Extract(classes, units, changed, crossing, (byte)elementClass, flags);
        }
    }

    private void Start(int count)
    {
        units = count;
        small.Clear();
        smallTried = false;
    }

    /// <summary>Scans whole words; the pointers are to element 0 of the chunk.</summary>
    private bool TryScan<T>(FloatShape shape, T* before, T* after, int first, int end, ref int crossers, ref int others)
        where T : unmanaged, IBinaryInteger<T>
    {
        int mostCrossers = units / 4;
        fixed (
            byte* classes = arrays.Classes,
                changeClasses = arrays.ChangeClasses
        )
        fixed (ulong* changedWords = arrays.Changed)
        fixed (T* steps = arrays.Steps<T>())
        {
            for (; first < end; first += 64)
            {
                (ulong changed, ulong crossing) = VectorLanes.Look(shape, before + first, after + first, classes + first);
                for (ulong left = crossing; left != 0; left &= left - 1)
                {
                    if (crossers == mostCrossers)
                    {
                        return false;
                    }

                    arrays.Crossers[crossers++] = first + BitOperations.TrailingZeroCount(left);
                }

                changed &= ~crossing;
                changedWords[first >> 6] = changed;
                if (changed != 0)
                {
                    StepGather.Append(shape, before + first, after + first, changed, steps + others, changeClasses + others);
                    others += BitOperations.PopCount(changed);
                }
            }
        }

        return true;
    }

    /// <summary>Draws the flags of one class together.</summary>
    /// <param name="classes">The class of every element.</param>
    /// <param name="count">How many.</param>
    /// <param name="flags">A bit an element.</param>
    /// <param name="excluded">Elements that do not count, or null.</param>
    /// <param name="wanted">The class.</param>
    /// <param name="output">Receives the flags.</param>
    /// <returns>How many.</returns>
    private static int Extract(byte* classes, int count, ulong* flags, ulong* excluded, byte wanted, ulong* output)
    {
        BitAppender appender = new(output);
        int found = 0;
        for (int first = 0; first < count; first += 64)
        {
            ulong members = VectorLanes.Equal(classes + first, wanted) & Counted(excluded, first, count);
            int added = BitOperations.PopCount(members);
            appender.Append(Bmi2.X64.ParallelBitExtract(flags[first >> 6], members), added);
            found += added;
        }

        appender.Finish();
        return found;
    }

    /// <summary>Which of 64 elements count: not excluded, and not behind the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Counted(ulong* excluded, int first, int count)
    {
        ulong counted = excluded == null ? ulong.MaxValue : ~excluded[first >> 6];
        return count - first < 64 ? counted & ((1UL << (count - first)) - 1) : counted;
    }
}
