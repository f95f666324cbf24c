using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>Where the sign, the exponent and the mantissa of a floating-point type stand. The exponent is the element's class.</summary>
/// <param name="Width">Bits of an element.</param>
/// <param name="MantissaBits">Bits of the mantissa, the lowest.</param>
/// <param name="ClassMask">The largest class: all bits of the exponent.</param>
internal readonly record struct FloatShape(int Width, int MantissaBits, uint ClassMask)
{
    /// <summary>bfloat16, and the upper half of a single.</summary>
    public static FloatShape BF16 { get; } = new(16, 7, 255);

    /// <summary>The sign bit.</summary>
    public uint Sign => 1u << (Width - 1);

    /// <summary>The class of an element.</summary>
    public uint Class(uint bits) => (bits >> MantissaBits) & ClassMask;

    /// <summary>Whether sign or class differ: such a change is listed apart.</summary>
    public bool Crosses(uint before, uint after) => (before ^ after) >> MantissaBits != 0;

    /// <summary>The shape of a type that has a class code, or null.</summary>
    public static FloatShape? Of(ElementType type) =>
        type switch
        {
            ElementType.BF16 => BF16,
            ElementType.F16 => new FloatShape(16, 10, 31),
            ElementType.F32 => new FloatShape(32, 23, 255),
            _ => null,
        };
}
