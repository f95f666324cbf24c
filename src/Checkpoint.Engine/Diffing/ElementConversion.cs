using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Diffing;

/// <summary>
/// The dtype rule (invariant 7): elements are compared in the live type and written in the disk type.
/// <code>after = round(before) == live ? before : convert(live)</code>
/// so that a bf16 copy in the producer's memory does not destroy the singles on disk. Pure.
/// </summary>
internal static class ElementConversion
{
    /// <summary>Whether elements of a live type can be brought into a disk type.</summary>
    public static bool Supports(ElementType disk, ElementType live) =>
        disk == live || (disk == ElementType.F32 && IsNarrow(live)) || (live == ElementType.F32 && IsNarrow(disk));

    /// <summary>Works out the disk bytes that live elements stand for.</summary>
    /// <param name="disk">Element type on disk.</param>
    /// <param name="live">Element type in the producer's memory; <see cref="Supports"/> holds.</param>
    /// <param name="before">Disk bytes as they are.</param>
    /// <param name="liveBytes">As many live elements.</param>
    /// <param name="after">Receives as many disk elements; may not overlap the others.</param>
    /// <exception cref="ArgumentException">The pair is not supported, or the lengths differ.</exception>
    public static void Apply(ElementType disk, ElementType live, ReadOnlySpan<byte> before, ReadOnlySpan<byte> liveBytes, Span<byte> after)
    {
        long elements = before.Length / disk.UnitBytes();
        if (!Supports(disk, live) || after.Length != before.Length || liveBytes.Length != elements * live.UnitBytes())
        {
            throw new ArgumentException($"{elements} elements {disk} from {liveBytes.Length} bytes of {live} into {after.Length} bytes");
        }

        if (disk == live)
        {
            liveBytes.CopyTo(after);
        }
        else if (disk == ElementType.F32)
        {
            ReadOnlySpan<uint> singles = MemoryMarshal.Cast<byte, uint>(before);
            ReadOnlySpan<ushort> narrow = MemoryMarshal.Cast<byte, ushort>(liveBytes);
            if (live == ElementType.BF16)
            {
                ToSingles<BFloat16Bits>(singles, narrow, MemoryMarshal.Cast<byte, uint>(after));
            }
            else
            {
                ToSingles<Float16Bits>(singles, narrow, MemoryMarshal.Cast<byte, uint>(after));
            }
        }
        else if (disk == ElementType.BF16)
        {
            FromSingles<BFloat16Bits>(before, liveBytes, after);
        }
        else
        {
            FromSingles<Float16Bits>(before, liveBytes, after);
        }
    }

    private static bool IsNarrow(ElementType type) => type is ElementType.BF16 or ElementType.F16;

    private static void ToSingles<TNarrow>(ReadOnlySpan<uint> before, ReadOnlySpan<ushort> live, Span<uint> after)
        where TNarrow : struct, INarrowFloat
    {
        int index = 0;
        for (; index <= live.Length - Vector256<ushort>.Count; index += Vector256<ushort>.Count)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.Create(live[index..]));
            Keep(before[index..], low).CopyTo(after[index..]);
            Keep(before[(index + 8)..], high).CopyTo(after[(index + 8)..]);
        }

        for (; index < live.Length; index++)
        {
            after[index] = TNarrow.Round(before[index]) == live[index] ? before[index] : TNarrow.Widen(live[index]);
        }

        static Vector256<uint> Keep(ReadOnlySpan<uint> before, Vector256<uint> live)
        {
            Vector256<uint> old = Vector256.Create(before);
            return Vector256.ConditionalSelect(Vector256.Equals(TNarrow.Round(old), live), old, TNarrow.Widen(live));
        }
    }

    private static void FromSingles<TNarrow>(ReadOnlySpan<byte> beforeBytes, ReadOnlySpan<byte> liveBytes, Span<byte> afterBytes)
        where TNarrow : struct, INarrowFloat
    {
        ReadOnlySpan<ushort> before = MemoryMarshal.Cast<byte, ushort>(beforeBytes);
        ReadOnlySpan<uint> live = MemoryMarshal.Cast<byte, uint>(liveBytes);
        Span<ushort> after = MemoryMarshal.Cast<byte, ushort>(afterBytes);

        // round(before) is exact here, so where it equals live, round(live) is before: the rule needs no comparison.
        int index = 0;
        for (; index <= before.Length - Vector256<ushort>.Count; index += Vector256<ushort>.Count)
        {
            Vector256<uint> low = TNarrow.Round(Vector256.Create(live[index..]));
            Vector256<uint> high = TNarrow.Round(Vector256.Create(live[(index + 8)..]));
            Vector256.Narrow(low, high).CopyTo(after[index..]);
        }

        for (; index < before.Length; index++)
        {
            after[index] = (ushort)TNarrow.Round(live[index]);
        }
    }
}
