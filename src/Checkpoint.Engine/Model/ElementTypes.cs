using System.Diagnostics.CodeAnalysis;

namespace ApolloCheckpoint.Engine.Model;

/// <summary>Sizes and spellings of <see cref="ElementType"/>.</summary>
public static class ElementTypes
{
    private static readonly (ElementType Type, string Name, int Bits)[] Table =
    [
        (ElementType.Bool, "BOOL", 8),
        (ElementType.U8, "U8", 8),
        (ElementType.I8, "I8", 8),
        (ElementType.F8E5M2, "F8_E5M2", 8),
        (ElementType.F8E4M3, "F8_E4M3", 8),
        (ElementType.F8E8M0, "F8_E8M0", 8),
        (ElementType.I16, "I16", 16),
        (ElementType.U16, "U16", 16),
        (ElementType.F16, "F16", 16),
        (ElementType.BF16, "BF16", 16),
        (ElementType.I32, "I32", 32),
        (ElementType.U32, "U32", 32),
        (ElementType.F32, "F32", 32),
        (ElementType.C64, "C64", 64),
        (ElementType.F64, "F64", 64),
        (ElementType.I64, "I64", 64),
        (ElementType.U64, "U64", 64),
        (ElementType.F4, "F4", 4),
        (ElementType.F6E2M3, "F6_E2M3", 6),
        (ElementType.F6E3M2, "F6_E3M2", 6),
    ];

    /// <summary>The spelling in safetensors headers and in handles files, such as "BF16".</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not a type.</exception>
    public static string Name(this ElementType type) => Row(type).Name;

    /// <summary>Bits of one element: 4, 6, 8, 16, 32 or 64.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not a type.</exception>
    public static int Bits(this ElementType type) => Row(type).Bits;

    /// <summary>
    /// Bytes of the unit that is compared and coded: the element, or one byte for types packed below a byte.
    /// </summary>
    public static int UnitBytes(this ElementType type) => Math.Max(1, type.Bits() / 8);

    /// <summary>Reads the safetensors spelling; case matters, as it does there.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out ElementType type)
    {
        foreach ((ElementType candidate, string spelling, _) in Table)
        {
            if (spelling == name)
            {
                type = candidate;
                return true;
            }
        }

        type = ElementType.None;
        return false;
    }

    /// <summary>
    /// Whether live elements of one type can be compared with, and written as, disk elements of the other: the same type, or a
    /// 16-bit float against an IEEE single, where rounding one way and widening the other are exact inverses.
    /// </summary>
    public static bool CanConvert(ElementType live, ElementType disk) =>
        live == disk
            ? IsDefined(live)
            : (live, disk)
                is
                    (ElementType.F32, ElementType.BF16)
                    or
                    (ElementType.F32, ElementType.F16)
                    or
                    (ElementType.BF16, ElementType.F32)
                    or
                    (ElementType.F16, ElementType.F32);

    /// <summary>Whether the number names a type.</summary>
    public static bool IsDefined(ElementType type) => type is > ElementType.None and <= ElementType.F6E3M2;

    private static (ElementType Type, string Name, int Bits) Row(ElementType type) =>
        IsDefined(type) ? Table[(int)type - 1] : throw new ArgumentOutOfRangeException(nameof(type), type, null);
}
