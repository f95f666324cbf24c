using System.Runtime.Intrinsics;

namespace ApolloCheckpoint.Engine.Diffing;

/// <summary>bfloat16: the upper half of a single.</summary>
internal readonly struct BFloat16Bits : INarrowFloat
{
    private const uint Infinity = 0x7f80_0000;
    private const uint Magnitude = 0x7fff_ffff;

    /// <inheritdoc/>
    public static uint Round(uint single)
    {
        if ((single & Magnitude) > Infinity)
        {
            uint upper = single >> 16;
            return (upper & 0x7f) == 0 ? upper | 0x40 : upper;
        }

        return (single + 0x7fff + ((single >> 16) & 1)) >> 16;
    }

    /// <inheritdoc/>
    public static uint Widen(uint narrow) => narrow << 16;

    /// <inheritdoc/>
    public static Vector256<uint> Round(Vector256<uint> single)
    {
        Vector256<uint> upper = single >>> 16;
        Vector256<uint> rounded = (single + Vector256.Create(0x7fffu) + (upper & Vector256<uint>.One)) >>> 16;
        Vector256<uint> isNaN = Vector256.GreaterThan(single & Vector256.Create(Magnitude), Vector256.Create(Infinity));
        Vector256<uint> empty = Vector256.Equals(upper & Vector256.Create(0x7fu), Vector256<uint>.Zero);
        return Vector256.ConditionalSelect(isNaN, upper | (empty & Vector256.Create(0x40u)), rounded);
    }

    /// <inheritdoc/>
    public static Vector256<uint> Widen(Vector256<uint> narrow) => narrow << 16;
}
