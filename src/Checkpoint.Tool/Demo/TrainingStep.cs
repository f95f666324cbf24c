using System.Buffers.Binary;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>
/// What an optimizer step does to weights in low precision, as measured on real training: a small share of elements changes, scattered
/// over the whole tensor, nine of ten by one unit in the last place, a few by more, hardly any its sign.
/// </summary>
internal static class TrainingStep
{
    /// <summary>Changes elements in place.</summary>
    /// <param name="bytes">Whole elements.</param>
    /// <param name="type">Their type; only 16 and 32 bit floating-point types are trained.</param>
    /// <param name="share">The share of elements that change, 0 to 1.</param>
    /// <param name="dice">Which, and by how much.</param>
    /// <returns>Elements changed.</returns>
    public static long Apply(Span<byte> bytes, ElementType type, double share, Dice dice)
    {
        if (type is not (ElementType.BF16 or ElementType.F16 or ElementType.F32))
        {
            return 0;
        }

        int size = type.UnitBytes();
        long elements = bytes.Length / size;
        long changed = 0;
        for (long i = dice.NextGap(share); i < elements; i += 1 + dice.NextGap(share))
        {
            ulong draw = dice.Next();
            int units = draw % 10 == 0 ? 2 + (int)((draw >> 33) % 6) : 1;
            Move(bytes.Slice((int)i * size, size), (draw & 0x10000) == 0 ? units : -units);
            changed++;
        }

        return changed;
    }

    /// <summary>
    /// Moves a float by units in the last place: its bits are a sign and a magnitude. The low 16 bits of a single are enough to count in.
    /// Near zero and near the end of the 15 bits the move turns round, so that there always is one.
    /// </summary>
    private static void Move(Span<byte> element, int units)
    {
        const int Limit = 0x7FFF;
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(element);
        int magnitude = (bits & Limit) + units;
        if (magnitude is < 0 or > Limit)
        {
            magnitude -= 2 * units;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(element, (ushort)((bits & ~Limit) | magnitude));
    }
}
