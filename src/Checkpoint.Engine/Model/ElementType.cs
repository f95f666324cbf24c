namespace ApolloCheckpoint.Engine.Model;

/// <summary>
/// The element types of safetensors 0.7 (its <c>Dtype</c> enumeration). The numeric values are written into deltas and never change.
/// </summary>
public enum ElementType : byte
{
    /// <summary>Not a type.</summary>
    None = 0,

    /// <summary>One byte, 0 or 1.</summary>
    Bool = 1,

    /// <summary>Unsigned byte.</summary>
    U8 = 2,

    /// <summary>Signed byte.</summary>
    I8 = 3,

    /// <summary>8-bit float, 5 exponent bits.</summary>
    F8E5M2 = 4,

    /// <summary>8-bit float, 4 exponent bits.</summary>
    F8E4M3 = 5,

    /// <summary>8-bit exponent.</summary>
    F8E8M0 = 6,

    /// <summary>Signed 16 bits.</summary>
    I16 = 7,

    /// <summary>Unsigned 16 bits.</summary>
    U16 = 8,

    /// <summary>IEEE half.</summary>
    F16 = 9,

    /// <summary>bfloat16: the upper half of an IEEE single.</summary>
    BF16 = 10,

    /// <summary>Signed 32 bits.</summary>
    I32 = 11,

    /// <summary>Unsigned 32 bits.</summary>
    U32 = 12,

    /// <summary>IEEE single.</summary>
    F32 = 13,

    /// <summary>Two IEEE singles.</summary>
    C64 = 14,

    /// <summary>IEEE double.</summary>
    F64 = 15,

    /// <summary>Signed 64 bits.</summary>
    I64 = 16,

    /// <summary>Unsigned 64 bits.</summary>
    U64 = 17,

    /// <summary>4-bit float, two in a byte.</summary>
    F4 = 18,

    /// <summary>6-bit float, packed, 2 exponent bits.</summary>
    F6E2M3 = 19,

    /// <summary>6-bit float, packed, 3 exponent bits.</summary>
    F6E3M2 = 20,
}
