using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>Appends the steps and classes of the changed ones among 64 elements to lists.</summary>
internal static unsafe class StepGather
{
    /// <summary>Appends.</summary>
    /// <param name="shape">Shape of the elements.</param>
    /// <param name="before">64 elements of 16 or 32 bits.</param>
    /// <param name="after">64 elements.</param>
    /// <param name="changed">Which changed and do not cross.</param>
    /// <param name="steps">Receives zigzag steps; 64 elements are writable.</param>
    /// <param name="classes">Receives classes; 64 bytes are writable.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Append<T>(FloatShape shape, T* before, T* after, ulong changed, T* steps, byte* classes)
        where T : unmanaged
    {
        if (sizeof(T) == 2)
        {
            Append((ushort*)before, (ushort*)after, shape, changed, (ushort*)steps, classes);
        }
        else
        {
            Append((uint*)before, (uint*)after, shape, changed, (uint*)steps, classes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Append(ushort* before, ushort* after, FloatShape shape, ulong changed, ushort* steps, byte* classes)
    {
        if (Avx512Vbmi2.IsSupported)
        {
            int low = BitOperations.PopCount((uint)changed);
            AppendHalf(before, after, shape, steps, classes);
            AppendHalf(before + 32, after + 32, shape, steps + low, classes + low);
            return;
        }

        for (; changed != 0; changed &= changed - 1)
        {
            int at = BitOperations.TrailingZeroCount(changed);
            *steps++ = StepSort.ZigZag<ushort>(after[at] - before[at]);
            *classes++ = (byte)shape.Class(before[at]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Append(uint* before, uint* after, FloatShape shape, ulong changed, uint* steps, byte* classes)
    {
        for (; changed != 0; changed &= changed - 1)
        {
            int at = BitOperations.TrailingZeroCount(changed);
            *steps++ = StepSort.ZigZag<uint>((int)(after[at] - before[at]));
            *classes++ = (byte)shape.Class(before[at]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AppendHalf(ushort* before, ushort* after, FloatShape shape, ushort* steps, byte* classes)
    {
        Vector512<ushort> old = Vector512.Load(before);
        Vector512<ushort> now = Vector512.Load(after);
        Vector512<short> step = (now - old).AsInt16();
        Vector512<ushort> zigzag = ((step << 1) ^ (step >> 15)).AsUInt16();
        Vector512<ushort> difference = old ^ now;
        Vector512<ushort> upper = Vector512.ShiftRightLogical(difference, shape.MantissaBits);
        Vector512<ushort> taken = ~Vector512.Equals(difference, Vector512<ushort>.Zero) & Vector512.Equals(upper, Vector512<ushort>.Zero);
        Vector512<ushort> c = Vector512.ShiftRightLogical(old, shape.MantissaBits) & Vector512.Create((ushort)shape.ClassMask);
        Avx512Vbmi2.Compress(Vector512<ushort>.Zero, taken, zigzag).Store(steps);
        Avx512BW.ConvertToVector256Byte(Avx512Vbmi2.Compress(Vector512<ushort>.Zero, taken, c)).Store(classes);
    }
}
