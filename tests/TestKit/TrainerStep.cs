using System.Buffers.Binary;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.TestKit;

/// <summary>
/// What an optimizer step does to weights kept in low precision: scattered elements move by one unit in the last place, a few by
/// several, a few change their sign; most stay (DENSITY: 0.1 to 30 % change).
/// </summary>
public static class TrainerStep
{
    /// <summary>One step on every tensor of the source.</summary>
    /// <returns>Number of elements that changed.</returns>
    public static long Apply(FakeWeightSource source, double share, int seed)
    {
        Random random = new(seed);
        long changed = 0;
        foreach (LiveTensor tensor in source.Tensors)
        {
            changed += Apply(source[tensor.Name], tensor.Type, share, random);
        }

        return changed;
    }

    /// <summary>One step on the elements of a buffer, in place.</summary>
    /// <param name="bytes">Whole elements.</param>
    /// <param name="type">Their type.</param>
    /// <param name="share">The share of elements that change.</param>
    /// <param name="random">The seeded source.</param>
    /// <returns>Number of elements that changed.</returns>
    public static long Apply(Span<byte> bytes, ElementType type, double share, Random random)
    {
        int size = type.UnitBytes();
        long changed = 0;
        for (int i = 0; i < bytes.Length; i += size)
        {
            if (random.NextDouble() < share)
            {
                Move(bytes.Slice(i, size), type, random);
                changed++;
            }
        }

        return changed;
    }

    private static void Move(Span<byte> element, ElementType type, Random random)
    {
        if (type == ElementType.Bool)
        {
            element[0] ^= 1;
            return;
        }

        double kind = random.NextDouble();
        if (kind < 0.01)
        {
            element[^1] ^= 0x80;
            return;
        }

        // The bits of a float are ordered like a sign and a magnitude, so ±1 on the magnitude is one unit in the last place.
        int step = kind < 0.95 ? 1 : random.Next(2, 9);
        int low = element.Length == 1 ? element[0] : BinaryPrimitives.ReadUInt16LittleEndian(element);
        int mask = element.Length == 1 ? 0xFF : 0xFFFF;
        int limit = element.Length <= 2 ? mask >> 1 : mask;
        int magnitude = low & limit;
        // Stays inside the lower bits: no carry into the sign, none out of the element, always a change.
        bool up = magnitude < step || (magnitude < limit / 2 == random.Next(2) > 0 && magnitude + step <= limit);
        int moved = (low & ~limit) | (up ? magnitude + step : magnitude - step);
        if (element.Length == 1)
        {
            element[0] = (byte)moved;
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(element, (ushort)moved);
        }
    }
}
