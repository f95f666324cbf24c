using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Model;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Diffing;

public sealed class ElementConversionTests
{
    private static readonly ushort[] AllPatterns = [.. Enumerable.Range(0, 65536).Select(bits => (ushort)bits)];

    [Fact]
    public void Only_equal_types_and_a_half_beside_a_single_are_supported()
    {
        (ElementType, ElementType)[] expected =
        [
            (ElementType.F16, ElementType.F32),
            (ElementType.BF16, ElementType.F32),
            (ElementType.F32, ElementType.F16),
            (ElementType.F32, ElementType.BF16),
        ];
        ElementType[] types = [.. Enum.GetValues<ElementType>().Where(ElementTypes.IsDefined)];
        Assert.Equal(
            expected,
            types.SelectMany(disk =>
                types.Where(live => live != disk && ElementConversion.Supports(disk, live)).Select(live => (disk, live))
            )
        );
        Assert.All(types, type => Assert.True(ElementConversion.Supports(type, type)));
    }

    [Theory]
    [InlineData(ElementType.BF16)]
    [InlineData(ElementType.F16)]
    public void Every_16_bit_pattern_survives_the_way_to_a_single_and_back(ElementType narrow)
    {
        // Zeros on disk: all live patterns but the zero are converted.
        uint[] singles = MemoryMarshal.Cast<byte, uint>(Apply(ElementType.F32, narrow, new byte[65536 * 4], Bytes(AllPatterns))).ToArray();
        byte[] back = Apply(narrow, ElementType.F32, new byte[65536 * 2], MemoryMarshal.AsBytes(singles.AsSpan()).ToArray());
        Assert.Equal(Bytes(AllPatterns), back);
        for (int bits = 0; bits < 65536; bits++)
        {
            float expected =
                narrow == ElementType.BF16
                    ? BitConverter.UInt32BitsToSingle((uint)bits << 16)
                    : (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            float widened = BitConverter.UInt32BitsToSingle(singles[bits]);
            Assert.True(float.IsNaN(expected) ? float.IsNaN(widened) : expected.Equals(widened), $"0x{bits:x4}");
        }
    }

    [Theory]
    [InlineData(ElementType.BF16)]
    [InlineData(ElementType.F16)]
    public void Singles_round_to_the_nearest_and_ties_to_even(ElementType narrow)
    {
        uint[] tricky = [.. Tricky()];
        ushort[] rounded = MemoryMarshal
            .Cast<byte, ushort>(
                Apply(narrow, ElementType.F32, new byte[tricky.Length * 2], MemoryMarshal.AsBytes(tricky.AsSpan()).ToArray())
            )
            .ToArray();
        for (int index = 0; index < tricky.Length; index++)
        {
            float single = BitConverter.UInt32BitsToSingle(tricky[index]);
            if (float.IsNaN(single))
            {
                Assert.True(IsNaN(narrow, rounded[index]), $"0x{tricky[index]:x8} gave 0x{rounded[index]:x4}");
                continue;
            }

            ushort expected = narrow == ElementType.BF16 ? RoundBySearch(single) : BitConverter.HalfToUInt16Bits((Half)single);
            Assert.True(expected == rounded[index], $"0x{tricky[index]:x8} gave 0x{rounded[index]:x4}, expected 0x{expected:x4}");
        }
    }

    [Theory]
    [InlineData(ElementType.BF16)]
    [InlineData(ElementType.F16)]
    public void Singles_on_disk_stay_where_they_round_to_the_live_value(ElementType narrow)
    {
        uint[] disk = [.. Tricky()];
        byte[] diskBytes = MemoryMarshal.AsBytes(disk.AsSpan()).ToArray();
        byte[] live = Apply(narrow, ElementType.F32, new byte[disk.Length * 2], diskBytes);
        Assert.Equal(diskBytes, Apply(ElementType.F32, narrow, diskBytes, live));

        for (int index = 0; index < live.Length; index += 2)
        {
            live[index] ^= 1;
        }

        byte[] after = Apply(ElementType.F32, narrow, diskBytes, live);
        Assert.Equal(live, Apply(narrow, ElementType.F32, new byte[live.Length], after));
        uint lost = narrow == ElementType.BF16 ? 0xffffu : 0x1fffu;
        Assert.DoesNotContain(MemoryMarshal.Cast<byte, uint>(after).ToArray(), single => (single & lost) != 0);
    }

    [Fact]
    public void Vectors_and_scalars_agree()
    {
        uint[] tricky = [.. Tricky()];
        byte[] bytes = MemoryMarshal.AsBytes(tricky.AsSpan()).ToArray();
        foreach (ElementType narrow in new[] { ElementType.BF16, ElementType.F16 })
        {
            byte[] together = Apply(narrow, ElementType.F32, new byte[tricky.Length * 2], bytes);
            byte[] wide = Apply(ElementType.F32, narrow, new byte[bytes.Length], together);
            for (int index = 0; index < tricky.Length; index++)
            {
                Assert.Equal(
                    together[(index * 2)..(index * 2 + 2)],
                    Apply(narrow, ElementType.F32, new byte[2], bytes[(index * 4)..(index * 4 + 4)])
                );
                Assert.Equal(
                    wide[(index * 4)..(index * 4 + 4)],
                    Apply(ElementType.F32, narrow, new byte[4], together[(index * 2)..(index * 2 + 2)])
                );
            }
        }
    }

    private static IEnumerable<uint> Tricky()
    {
        Random random = new(11);
        foreach (int narrow in Enumerable.Range(0, 65536).Where(bits => bits % 5 == 0 || bits % 0x80 < 2))
        {
            uint upper = (uint)narrow << 16;
            foreach (uint lower in new uint[] { 0, 1, 0x0fff, 0x1000, 0x1001, 0x7fff, 0x8000, 0x8001, 0xffff, (uint)random.Next(65536) })
            {
                yield return upper | lower;
            }
        }
    }

    /// <summary>The nearest of the two neighbours, by distance in double.</summary>
    private static ushort RoundBySearch(float single)
    {
        uint bits = BitConverter.SingleToUInt32Bits(single);
        ushort down = (ushort)(bits >> 16);
        if (float.IsInfinity(single))
        {
            return down;
        }

        ushort up = (ushort)(down + 1);
        double toDown = Math.Abs((double)single - Value(down));
        double toUp = Math.Abs(Value(up) - (double)single);
        return toDown < toUp || (toDown == toUp && (down & 1) == 0) ? down : up;
    }

    // Infinity counts as the next power of two, as IEEE rounding has it.
    private static double Value(ushort bits) =>
        (bits & 0x7fff) == 0x7f80 ? Math.CopySign(Math.Pow(2, 128), (short)bits) : BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static bool IsNaN(ElementType type, ushort bits) => (bits & 0x7fff) > (type == ElementType.BF16 ? 0x7f80 : 0x7c00);

    private static byte[] Apply(ElementType disk, ElementType live, byte[] before, byte[] liveBytes)
    {
        byte[] after = new byte[before.Length];
        ElementConversion.Apply(disk, live, before, liveBytes, after);
        return after;
    }

    private static byte[] Bytes(ushort[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
}
