using System.Runtime.Intrinsics;

namespace ApolloCheckpoint.Engine.Diffing;

/// <summary>
/// IEEE half, by integer arithmetic: the processor's own conversion makes signalling NaNs quiet, which would change bits on disk.
/// </summary>
internal readonly struct Float16Bits : INarrowFloat
{
    private const uint Infinity = 0x7f80_0000;
    private const uint Magnitude = 0x7fff_ffff;

    // 65520: halfway between the largest half and the next power of two; from here on infinity.
    private const uint Overflow = 0x477f_f000;

    // 2^-14, the smallest normal half.
    private const uint SmallestNormal = 0x3880_0000;

    // 0.5: adding it leaves a subnormal half, rounded by the processor, in the lowest ten bits of the sum.
    private const uint SubnormalMagic = 0x3f00_0000;

    // Exponent bias 127 less 15, in the single's exponent field.
    private const uint Rebias = 112u << 23;

    /// <inheritdoc/>
    public static uint Round(uint single)
    {
        uint sign = (single >> 16) & 0x8000;
        uint magnitude = single & Magnitude;
        if (magnitude > Infinity)
        {
            uint payload = (magnitude >> 13) & 0x3ff;
            return sign | 0x7c00 | (payload == 0 ? 0x200 : payload);
        }

        if (magnitude >= Overflow)
        {
            return sign | 0x7c00;
        }

        if (magnitude < SmallestNormal)
        {
            float sum = BitConverter.UInt32BitsToSingle(magnitude) + BitConverter.UInt32BitsToSingle(SubnormalMagic);
            return sign | (BitConverter.SingleToUInt32Bits(sum) - SubnormalMagic);
        }

        return sign | ((magnitude - Rebias + 0xfff + ((magnitude >> 13) & 1)) >> 13);
    }

    /// <inheritdoc/>
    public static uint Widen(uint narrow)
    {
        uint sign = (narrow & 0x8000) << 16;
        uint shifted = (narrow & 0x7fff) << 13;
        uint exponent = narrow & 0x7c00;
        if (exponent == 0)
        {
            // A subnormal half is its integer times 2^-24: exact.
            return sign | BitConverter.SingleToUInt32Bits((narrow & 0x3ff) * (1f / (1 << 24)));
        }

        return sign | (shifted + Rebias + (exponent == 0x7c00 ? Rebias : 0));
    }

    /// <inheritdoc/>
    public static Vector256<uint> Round(Vector256<uint> single)
    {
        Vector256<uint> sign = (single >>> 16) & Vector256.Create(0x8000u);
        Vector256<uint> magnitude = single & Vector256.Create(Magnitude);
        Vector256<uint> normal =
            (magnitude - Vector256.Create(Rebias) + Vector256.Create(0xfffu) + ((magnitude >>> 13) & Vector256<uint>.One)) >>> 13;
        Vector256<uint> magic = Vector256.Create(SubnormalMagic);
        Vector256<uint> subnormal = (magnitude.AsSingle() + magic.AsSingle()).AsUInt32() - magic;
        Vector256<uint> payload = (magnitude >>> 13) & Vector256.Create(0x3ffu);
        Vector256<uint> empty = Vector256.Equals(payload, Vector256<uint>.Zero) & Vector256.Create(0x200u);
        Vector256<uint> infinity = Vector256.Create(0x7c00u);
        Vector256<uint> result = Vector256.ConditionalSelect(
            Vector256.LessThan(magnitude, Vector256.Create(SmallestNormal)),
            subnormal,
            normal
        );
        result = Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(Overflow)), infinity, result);
        Vector256<uint> isNaN = Vector256.GreaterThan(magnitude, Vector256.Create(Infinity));
        return sign | Vector256.ConditionalSelect(isNaN, infinity | payload | empty, result);
    }

    /// <inheritdoc/>
    public static Vector256<uint> Widen(Vector256<uint> narrow)
    {
        Vector256<uint> sign = (narrow & Vector256.Create(0x8000u)) << 16;
        Vector256<uint> magnitude = narrow & Vector256.Create(0x7fffu);
        Vector256<uint> exponent = narrow & Vector256.Create(0x7c00u);
        Vector256<uint> rebias = Vector256.Create(Rebias);
        Vector256<uint> isSpecial = Vector256.Equals(exponent, Vector256.Create(0x7c00u));
        Vector256<uint> normal = (magnitude << 13) + rebias + (isSpecial & rebias);
        Vector256<float> integer = Vector256.ConvertToSingle(magnitude.AsInt32());
        Vector256<uint> subnormal = (integer * Vector256.Create(1f / (1 << 24))).AsUInt32();
        return sign | Vector256.ConditionalSelect(Vector256.Equals(exponent, Vector256<uint>.Zero), subnormal, normal);
    }
}
