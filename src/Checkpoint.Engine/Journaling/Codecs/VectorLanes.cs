using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// What the vector path asks of 64 elements at once, each answer a bit an element. 512-bit vectors where the processor has them: there
/// a comparison gives the bits in one instruction.
/// </summary>
internal static unsafe class VectorLanes
{
    /// <summary>Which of 64 bytes equal a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Equal(byte* bytes, byte value)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            return Vector512.Equals(Vector512.Load(bytes), Vector512.Create(value)).ExtractMostSignificantBits();
        }

        Vector256<byte> wanted = Vector256.Create(value);
        ulong low = Vector256.Equals(Vector256.Load(bytes), wanted).ExtractMostSignificantBits();
        ulong high = Vector256.Equals(Vector256.Load(bytes + 32), wanted).ExtractMostSignificantBits();
        return low | (high << 32);
    }

    /// <summary>Which of 64 bytes are at most a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong AtMost(byte* bytes, byte value)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            return Vector512.LessThanOrEqual(Vector512.Load(bytes), Vector512.Create(value)).ExtractMostSignificantBits();
        }

        Vector256<byte> top = Vector256.Create(value);
        Vector256<byte> first = Vector256.Load(bytes);
        Vector256<byte> second = Vector256.Load(bytes + 32);
        ulong low = Vector256.Equals(Vector256.Min(first, top), first).ExtractMostSignificantBits();
        ulong high = Vector256.Equals(Vector256.Min(second, top), second).ExtractMostSignificantBits();
        return low | (high << 32);
    }

    /// <summary>The 64 bits of a string from a position on; the word behind them must be readable.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Window(ulong* bits, long position)
    {
        ulong* word = bits + (position >> 6);
        int shift = (int)position & 63;

        // Two shifts, because a shift by 64 would be none.
        return (word[0] >> shift) | ((word[1] << 1) << (63 - shift));
    }

    /// <summary>Compares 64 elements.</summary>
    /// <param name="shape">Their shape.</param>
    /// <param name="before">64 elements.</param>
    /// <param name="after">64 elements.</param>
    /// <param name="classes">Receives 64 classes, of the elements before.</param>
    /// <returns>Which changed, and which of those are crossers.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (ulong Changed, ulong Crossing) Look<T>(FloatShape shape, T* before, T* after, byte* classes)
        where T : unmanaged
    {
        Classes(shape, before, classes);
        return sizeof(T) == 2 ? Compare((ushort*)before, (ushort*)after, shape) : Compare((uint*)before, (uint*)after, shape);
    }

    /// <summary>The classes of 64 elements of 16 or 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Classes<T>(FloatShape shape, T* elements, byte* classes)
        where T : unmanaged
    {
        if (sizeof(T) == 2)
        {
            Classes((ushort*)elements, shape, classes);
        }
        else
        {
            Classes((uint*)elements, shape, classes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Classes(ushort* elements, FloatShape shape, byte* classes)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<ushort> mask = Vector512.Create((ushort)shape.ClassMask);
            Vector512<ushort> low = Vector512.ShiftRightLogical(Vector512.Load(elements), shape.MantissaBits) & mask;
            Vector512<ushort> high = Vector512.ShiftRightLogical(Vector512.Load(elements + 32), shape.MantissaBits) & mask;
            Vector512.Narrow(low, high).Store(classes);
            return;
        }

        Vector256<ushort> narrowMask = Vector256.Create((ushort)shape.ClassMask);
        for (int at = 0; at < 64; at += 32)
        {
            Vector256<ushort> low = Vector256.ShiftRightLogical(Vector256.Load(elements + at), shape.MantissaBits) & narrowMask;
            Vector256<ushort> high = Vector256.ShiftRightLogical(Vector256.Load(elements + at + 16), shape.MantissaBits) & narrowMask;
            Vector256.Narrow(low, high).Store(classes + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Classes(uint* elements, FloatShape shape, byte* classes)
    {
        for (int at = 0; at < 64; at += 32)
        {
            Vector256<ushort> low = Vector256.Narrow(Class(elements + at, shape), Class(elements + at + 8, shape));
            Vector256<ushort> high = Vector256.Narrow(Class(elements + at + 16, shape), Class(elements + at + 24, shape));
            Vector256.Narrow(low, high).Store(classes + at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (ulong Changed, ulong Crossing) Compare(ushort* before, ushort* after, FloatShape shape)
    {
        ulong equal = 0;
        ulong staying = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (int at = 0; at < 64; at += 32)
            {
                Vector512<ushort> difference = Vector512.Load(before + at) ^ Vector512.Load(after + at);
                equal |= Vector512.Equals(difference, Vector512<ushort>.Zero).ExtractMostSignificantBits() << at;
                difference = Vector512.ShiftRightLogical(difference, shape.MantissaBits);
                staying |= Vector512.Equals(difference, Vector512<ushort>.Zero).ExtractMostSignificantBits() << at;
            }
        }
        else
        {
            for (int at = 0; at < 64; at += 16)
            {
                Vector256<ushort> difference = Vector256.Load(before + at) ^ Vector256.Load(after + at);
                equal |= (ulong)Vector256.Equals(difference, Vector256<ushort>.Zero).ExtractMostSignificantBits() << at;
                difference = Vector256.ShiftRightLogical(difference, shape.MantissaBits);
                staying |= (ulong)Vector256.Equals(difference, Vector256<ushort>.Zero).ExtractMostSignificantBits() << at;
            }
        }

        return (~equal, ~staying);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (ulong Changed, ulong Crossing) Compare(uint* before, uint* after, FloatShape shape)
    {
        ulong equal = 0;
        ulong staying = 0;
        for (int at = 0; at < 64; at += 8)
        {
            Vector256<uint> difference = Vector256.Load(before + at) ^ Vector256.Load(after + at);
            equal |= (ulong)Vector256.Equals(difference, Vector256<uint>.Zero).ExtractMostSignificantBits() << at;
            difference = Vector256.ShiftRightLogical(difference, shape.MantissaBits);
            staying |= (ulong)Vector256.Equals(difference, Vector256<uint>.Zero).ExtractMostSignificantBits() << at;
        }

        return (~equal, ~staying);
    }

    private static Vector256<uint> Class(uint* elements, FloatShape shape) =>
        Vector256.ShiftRightLogical(Vector256.Load(elements), shape.MantissaBits) & Vector256.Create(shape.ClassMask);
}
