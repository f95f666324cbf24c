using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>What the gap code writes for a changed unit.</summary>
internal enum StepKind
{
    /// <summary>before XOR after: packed types, whose elements must not carry into each other.</summary>
    Xor,

    /// <summary>after - before, modulo the unit.</summary>
    Difference,

    /// <summary>
    /// The difference of the keys: a float's bits, with all but the sign inverted when it is negative. Neighbours in value are
    /// neighbours in key, across zero too, and -0 and +0 stay apart.
    /// </summary>
    KeyDifference,
}

/// <summary>Which step a type has.</summary>
internal static class StepKinds
{
    /// <summary>The step of a type.</summary>
    public static StepKind Of(ElementType type) =>
        type switch
        {
            ElementType.F8E5M2 or ElementType.F8E4M3 or ElementType.F16 or ElementType.BF16 or ElementType.F32 or ElementType.F64 =>
                StepKind.KeyDifference,
            ElementType.Bool or ElementType.F4 or ElementType.F6E2M3 or ElementType.F6E3M2 or ElementType.C64 => StepKind.Xor,
            _ => StepKind.Difference,
        };
}
