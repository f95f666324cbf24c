using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling.Codecs;

public sealed class ChunkCodecTests : IDisposable
{
    private static readonly double[] Densities = [0.0005, 0.005, 0.03, 0.126, 0.4, 0.6, 0.95, 1];
    private readonly ChunkCodec codec = new();

    public void Dispose() => codec.Dispose();

    [Theory]
    [InlineData(ElementType.BF16)]
    [InlineData(ElementType.F16)]
    [InlineData(ElementType.F32)]
    public void Every_change_of_a_float_goes_both_ways(ElementType type)
    {
        int seed = 0;
        foreach (MadePairs.Kind kind in Enum.GetValues<MadePairs.Kind>())
        {
            foreach (double density in Densities)
            {
                foreach (int units in new[] { 1, 7, 63, 64, 65, 1000, 20_000 })
                {
                    (byte[] before, byte[] after) = MadePairs.Make(type, kind, density, units, seed++);
                    RoundTrip(type, type, before, after, $"{kind} {density} {units}");
                }
            }
        }
    }

    [Fact]
    public void Every_element_type_goes_both_ways()
    {
        int seed = 0;
        foreach (ElementType type in Enum.GetValues<ElementType>().Where(ElementTypes.IsDefined))
        {
            foreach (MadePairs.Kind kind in new[] { MadePairs.Kind.RandomSmallSteps, MadePairs.Kind.RandomBits, MadePairs.Kind.Fill })
            {
                foreach (double density in Densities)
                {
                    (byte[] before, byte[] after) = MadePairs.Make(type, kind, density, 3001, seed++);
                    RoundTrip(type, type, before, after, $"{type} {kind} {density}");
                }
            }
        }
    }

    [Theory]
    [InlineData(ElementType.F32, ElementType.BF16)]
    [InlineData(ElementType.F32, ElementType.F16)]
    [InlineData(ElementType.BF16, ElementType.F32)]
    [InlineData(ElementType.F16, ElementType.F32)]
    public void A_cast_tensor_goes_both_ways_bit_for_bit(ElementType disk, ElementType live)
    {
        int seed = 0;
        foreach (MadePairs.Kind kind in Enum.GetValues<MadePairs.Kind>())
        {
            foreach (double density in Densities)
            {
                (byte[] before, byte[] after) = MadePairs.Make(disk, kind, density, 5000, seed++);
                RoundTrip(disk, live, before, after, $"{kind} {density}");
            }
        }
    }

    [Fact]
    public void Singles_that_follow_a_bf16_cost_little_more_than_the_bf16()
    {
        (byte[] live, byte[] next) = MadePairs.Make(ElementType.BF16, MadePairs.Kind.Training, 0.02, 100_000, 8);
        (byte[] before, byte[] _) = MadePairs.Make(ElementType.F32, MadePairs.Kind.RandomBits, 0, 100_000, 9);
        byte[] disk = Converted(before, live);
        RoundTrip(ElementType.F32, ElementType.BF16, before, disk, "all at first");
        byte[] after = Converted(disk, next);
        RoundTrip(ElementType.F32, ElementType.BF16, disk, after, "later");
        int narrow = codec.Encode(ElementType.BF16, ElementType.BF16, live, next).Payload.Length;
        EncodedChunk wide = codec.Encode(ElementType.F32, ElementType.BF16, disk, after);
        Assert.Equal((ChunkEncoding.GapCode, narrow + 5), (wide.Encoding, wide.Payload.Length));
        RoundTrip(ElementType.F32, ElementType.BF16, Fresh(disk, 0x1234), Converted(Fresh(disk, 0x1234), next), "lower halves are lost");
    }

    [Fact]
    public void Any_bits_go_both_ways()
    {
        Gen.Select(Gen.Int[0, 2], Gen.UShort.Array[1, 400], Gen.UShort.Array[1, 400], Gen.Int[1, 8])
            .Sample(
                (typeIndex, first, second, sameEvery) =>
                {
                    ElementType type = new[] { ElementType.BF16, ElementType.F16, ElementType.F32 }[typeIndex];
                    int units = Math.Min(first.Length, second.Length) & ~1;
                    ushort[] after = [.. first.Take(units).Select((value, index) => index % sameEvery == 0 ? second[index] : value)];
                    if (units > 0 && !after.AsSpan().SequenceEqual(first.AsSpan(0, units)))
                    {
                        RoundTrip(type, type, Bytes(first[..units]), Bytes(after), "sample");
                    }
                },
                threads: 1
            );
    }

    [Theory]
    [InlineData(ElementType.BF16, 0.0001)]
    [InlineData(ElementType.BF16, 0.005)]
    [InlineData(ElementType.F32, 0.0001)]
    [InlineData(ElementType.I64, 0.0001)]
    [InlineData(ElementType.U8, 0.0001)]
    public void Looking_only_at_the_pages_that_changed_gives_the_same_bytes(ElementType type, double density)
    {
        (byte[] before, byte[] after) = MadePairs.Make(type, MadePairs.Kind.RandomBits, density, 100_000, 7);
        EncodedChunk everywhere = codec.Encode(type, type, before, after);
        byte[] expected = everywhere.Payload.ToArray();
        (ChunkEncoding encoding, int changed) = (everywhere.Encoding, everywhere.ChangedUnits);
        // A tensor begins at any byte of its file, so a page may end inside an element.
        foreach (long fileOffset in new long[] { 0, 1, 3, 4093 })
        {
            List<(int, int)> pages = [];
            DirtyPages.Find(before, after, fileOffset, pages);
            EncodedChunk there = codec.Encode(type, type, before, after, CollectionsMarshal.AsSpan(pages));
            Assert.Equal((encoding, changed), (there.Encoding, there.ChangedUnits));
            Assert.Equal(expected, there.Payload.ToArray());
        }
    }

    [Fact]
    public void Small_training_steps_take_the_class_code_and_few_bits()
    {
        (byte[] before, byte[] after) = MadePairs.Make(ElementType.BF16, MadePairs.Kind.Training, 0.005, 1 << 18, 1);
        EncodedChunk encoded = codec.Encode(ElementType.BF16, ElementType.BF16, before, after);
        Assert.Equal(ChunkEncoding.ClassCode, encoded.Encoding);
        Assert.InRange(encoded.Payload.Length * 8.0 / encoded.ChangedUnits, 5, 14);
    }

    [Theory]
    [InlineData(ElementType.BF16)]
    [InlineData(ElementType.F32)]
    public void Changes_far_apart_take_the_gap_code_which_need_not_look_at_every_element(ElementType type)
    {
        (byte[] before, byte[] _) = MadePairs.Make(type, MadePairs.Kind.RandomBits, 0, 100_000, 5);
        byte[] after = [.. before];
        int width = before.Length / 100_000;
        foreach (int unit in new[] { 0, 7, 8, 9, 4_096, 51_234, 65_535, 65_536, 80_001, 90_000, 99_998, 99_999 })
        {
            after[unit * width] ^= 1;
        }

        Assert.Equal(ChunkEncoding.GapCode, codec.Encode(type, type, before, after).Encoding);
        RoundTrip(type, type, before, after, "far apart");
        after[50_000 * width] ^= 1;
        Assert.Equal(ChunkEncoding.ClassCode, codec.Encode(type, type, before, after).Encoding);
    }

    [Fact]
    public void No_payload_is_longer_than_the_chunk_and_a_form_byte()
    {
        foreach (MadePairs.Kind kind in Enum.GetValues<MadePairs.Kind>())
        {
            (byte[] before, byte[] after) = MadePairs.Make(ElementType.BF16, kind, 1, 1 << 20, (int)kind);
            Assert.InRange(codec.Encode(ElementType.BF16, ElementType.BF16, before, after).Payload.Length, 1, before.Length + 1);
        }
    }

    [Fact]
    public void A_repair_restores_the_bytes_after_from_anything_and_never_goes_backward()
    {
        (byte[] before, byte[] after) = MadePairs.Make(ElementType.BF16, MadePairs.Kind.Training, 0.1, 5000, 3);
        byte[] payload = codec.EncodeRepair(ElementType.BF16, after).Payload.ToArray();
        codec.Apply(ChunkEncoding.Repair, ElementType.BF16, ElementType.BF16, payload, before, backward: false);
        Assert.Equal(after, before);
        CheckpointException refused = Assert.Throws<CheckpointException>(() =>
            codec.Apply(ChunkEncoding.Repair, ElementType.BF16, ElementType.BF16, payload, before, backward: true)
        );
        Assert.Equal(CheckpointError.JournalDamaged, refused.Error);
    }

    [Fact]
    public void A_codec_allocates_its_arrays_once_and_no_more_than_16_MiB()
    {
        long start = GC.GetAllocatedBytesForCurrentThread();
        using ChunkCodec own = new();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - start, 1, 16 << 20);
        (byte[] before, byte[] after) = MadePairs.Make(ElementType.BF16, MadePairs.Kind.Training, 0.05, 200_000, 6);
        byte[] payload = own.Encode(ElementType.BF16, ElementType.BF16, before, after).Payload.ToArray();
        own.Apply(ChunkEncoding.ClassCode, ElementType.BF16, ElementType.BF16, payload, before, backward: false);
        start = GC.GetAllocatedBytesForCurrentThread();
        own.Apply(ChunkEncoding.ClassCode, ElementType.BF16, ElementType.BF16, payload, before, backward: true);
        _ = own.Encode(ElementType.BF16, ElementType.BF16, before, after);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - start, 0, 4096);
    }

    [Fact]
    public void Equal_arguments_give_equal_bytes_whatever_was_coded_before()
    {
        (byte[] before, byte[] after) = MadePairs.Make(ElementType.BF16, MadePairs.Kind.InPlace, 0.02, 50_000, 4);
        byte[] first = codec.Encode(ElementType.BF16, ElementType.BF16, before, after).Payload.ToArray();
        (byte[] otherBefore, byte[] otherAfter) = MadePairs.Make(ElementType.F32, MadePairs.Kind.RandomBits, 0.7, 70_000, 5);
        _ = codec.Encode(ElementType.F32, ElementType.F32, otherBefore, otherAfter);
        Assert.Equal(first, codec.Encode(ElementType.BF16, ElementType.BF16, before, after).Payload.ToArray());
    }

    private void RoundTrip(ElementType disk, ElementType live, byte[] before, byte[] after, string what)
    {
        EncodedChunk encoded = codec.Encode(disk, live, before, after);
        int changed = Enumerable
            .Range(0, before.Length / disk.UnitBytes())
            .Count(unit => !Unit(before, disk, unit).SequenceEqual(Unit(after, disk, unit)));
        Assert.True(changed == encoded.ChangedUnits, $"{what}: {encoded.ChangedUnits} units said, {changed} changed");
        byte[] payload = encoded.Payload.ToArray();
        byte[] bytes = (byte[])before.Clone();
        codec.Apply(encoded.Encoding, disk, live, payload, bytes, backward: false);
        Assert.True(bytes.AsSpan().SequenceEqual(after), $"{what}: {encoded.Encoding} forward");
        codec.Apply(encoded.Encoding, disk, live, payload, bytes, backward: true);
        Assert.True(bytes.AsSpan().SequenceEqual(before), $"{what}: {encoded.Encoding} backward");
    }

    private static byte[] Converted(byte[] disk, byte[] live)
    {
        byte[] after = new byte[disk.Length];
        ElementConversion.Apply(ElementType.F32, ElementType.BF16, disk, live, after);
        return after;
    }

    /// <summary>Singles that have lower halves, as a checkpoint of a trainer has, and round to the same bf16.</summary>
    private static byte[] Fresh(byte[] disk, uint lower) =>
        MemoryMarshal.AsBytes(MemoryMarshal.Cast<byte, uint>(disk).ToArray().Select(single => single | lower).ToArray().AsSpan()).ToArray();

    private static ReadOnlySpan<byte> Unit(byte[] bytes, ElementType type, int unit) =>
        bytes.AsSpan(unit * type.UnitBytes(), type.UnitBytes());

    private static byte[] Bytes(ushort[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
}
