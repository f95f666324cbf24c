using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// The elements of the smallest exponents, drawn together. In real weights ten and more classes hold an eighth of the elements, and
/// with training in place they are the only ones that change: walking this short list once a class beats walking all elements.
/// It is a matter of speed alone: the bytes do not depend on it.
/// </summary>
internal sealed unsafe class SmallClasses
{
    // A list longer than a quarter of the largest chunk would gain nothing.
    private const int Capacity = 1 << 18;

    /// <summary>The list holds the elements of class ≤ this; -1 when there is none.</summary>
    public int Top { get; private set; } = -1;

    /// <summary>How many elements the list holds.</summary>
    public int Count { get; private set; }

    /// <summary>The class of each.</summary>
    public byte[] Classes { get; } = GC.AllocateUninitializedArray<byte>(Capacity + 128);

    /// <summary>One flag each; what it means is the walker's.</summary>
    public ulong[] Flags { get; } = new ulong[Capacity / 64 + 4];

    /// <summary>Forgets the list.</summary>
    public void Clear() => (Top, Count) = (-1, 0);

    /// <summary>Draws the list, if a sample says that it is short.</summary>
    /// <param name="classes">The class of every element; readable up to the next multiple of 64.</param>
    /// <param name="units">How many.</param>
    /// <param name="excluded">Elements that do not count, one bit each.</param>
    /// <param name="flags">A bit an element to carry along, or null: the list's flags are then zero.</param>
    public void Draw(byte* classes, int units, ulong* excluded, ulong* flags)
    {
        Clear();
        int top = Choose(classes, units);
        if (top < 0)
        {
            return;
        }

        fixed (byte* list = Classes)
        fixed (ulong* carried = Flags)
        {
            BitAppender appender = new(carried);
            int count = 0;
            for (int first = 0; first < units; first += 64)
            {
                int word = first >> 6;
                ulong members = VectorLanes.AtMost(classes + first, (byte)top) & ~excluded[word];
                members &= units - first < 64 ? (1UL << (units - first)) - 1 : ulong.MaxValue;
                int added = BitOperations.PopCount(members);
                if (count + added > Capacity)
                {
                    return;
                }

                Take(classes + first, members, (byte)top, excluded[word] == 0 && units - first >= 64, list + count);
                count += added;
                if (flags != null)
                {
                    appender.Append(Bmi2.X64.ParallelBitExtract(flags[word], members), added);
                }
            }

            if (flags != null)
            {
                appender.Finish();
            }
            else
            {
                Flags.AsSpan(0, count / 64 + 2).Clear();
            }

            (Top, Count) = (top, count);
        }
    }

    /// <summary>The largest class that, with all below it, holds at most an eighth (without a compress instruction 1/32).</summary>
    private static int Choose(byte* classes, int units)
    {
        Span<int> sampled = stackalloc int[WorkArrays.ClassCount];
        sampled.Clear();
        int stride = (units / 4096) | 1;
        int samples = 0;
        for (int index = 0; index < units; index += stride, samples++)
        {
            sampled[classes[index]]++;
        }

        int room = Avx512Vbmi2.IsSupported ? samples / 8 : samples / 32;
        int top = -1;
        for (int c = 0; c < sampled.Length && sampled[c] <= room; c++)
        {
            room -= sampled[c];
            top = c;
        }

        return top;
    }

    private static void Take(byte* classes, ulong members, byte top, bool isPlain, byte* list)
    {
        if (Avx512Vbmi2.IsSupported && isPlain)
        {
            Vector512<byte> all = Vector512.Load(classes);
            Avx512Vbmi2.Compress(Vector512<byte>.Zero, Vector512.LessThanOrEqual(all, Vector512.Create(top)), all).Store(list);
            return;
        }

        for (; members != 0; members &= members - 1)
        {
            *list++ = classes[BitOperations.TrailingZeroCount(members)];
        }
    }
}
