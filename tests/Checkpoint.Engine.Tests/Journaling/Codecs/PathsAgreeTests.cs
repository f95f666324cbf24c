using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling.Codecs;

public sealed class PathsAgreeTests : IDisposable
{
    private readonly ChunkCodec scalar = new(useVectors: false);
    private readonly ChunkCodec? vector = VectorSupport.IsFast ? new(useVectors: true) : null;

    public void Dispose()
    {
        scalar.Dispose();
        vector?.Dispose();
    }

    [SkippableTheory]
    [InlineData(ElementType.BF16)]
    [InlineData(ElementType.F16)]
    [InlineData(ElementType.F32)]
    public void Vectors_give_the_bytes_that_scalars_give_and_read_them_back(ElementType type)
    {
        Skip.If(vector is null, "this processor has no fast bit deposit");
        int seed = 1000;
        foreach (MadePairs.Kind kind in Enum.GetValues<MadePairs.Kind>())
        {
            foreach (double density in new[] { 0.0003, 0.005, 0.05, 0.3, 0.7, 1 })
            {
                foreach (int units in new[] { 1, 63, 64, 129, 4000, 20_001 })
                {
                    (byte[] before, byte[] after) = MadePairs.Make(type, kind, density, units, seed++);
                    Agree(type, before, after, $"{kind} {density} {units}");
                }
            }
        }
    }

    [SkippableFact]
    public void The_largest_chunk_is_coded_alike_at_every_density()
    {
        Skip.If(vector is null, "this processor has no fast bit deposit");
        foreach (double density in new[] { 0.001, 0.2, 0.9 })
        {
            (byte[] before, byte[] after) = MadePairs.Make(ElementType.BF16, MadePairs.Kind.InPlace, density, 1 << 20, 77);
            Agree(ElementType.BF16, before, after, $"{density}");
        }
    }

    [SkippableFact]
    public void A_class_with_more_elements_than_it_says_is_refused_by_both()
    {
        Skip.If(vector is null, "this processor has no fast bit deposit");

        // All 64 elements of one class change, so the string is whole; on the wrong side 128 elements have that class.
        byte[] before = Elements(128, index => (ushort)(index < 64 ? 0x3c00 : 0x3c80));
        byte[] after = Elements(128, index => (ushort)(index < 64 ? 0x3c01 : 0x3c80));
        byte[] payload = scalar.Encode(ElementType.BF16, ElementType.BF16, before, after).Payload.ToArray();
        byte[] other = Elements(128, _ => 0x3c00);
        Assert.Equal(("refused", "refused"), (Decode(scalar, payload, other), Decode(vector!, payload, other)));
    }

    [SkippableFact]
    public void Damage_is_refused_by_both_or_decoded_to_the_same_by_both()
    {
        Skip.If(vector is null, "this processor has no fast bit deposit");
        Random random = new(5);
        for (int round = 0; round < 4000; round++)
        {
            MadePairs.Kind kind = (MadePairs.Kind)(round % Enum.GetValues<MadePairs.Kind>().Length);
            (byte[] before, byte[] after) = MadePairs.Make(ElementType.BF16, kind, 0.1 * random.NextDouble(), random.Next(1, 3000), round);
            EncodedChunk encoded = scalar.Encode(ElementType.BF16, ElementType.BF16, before, after);
            byte[] payload = encoded.Payload.ToArray();
            payload[random.Next(payload.Length)] ^= (byte)(1 << random.Next(8));
            if (encoded.Encoding == ChunkEncoding.ClassCode)
            {
                Assert.Equal(Decode(scalar, payload, before), Decode(vector!, payload, before));
            }
        }
    }

    [Fact]
    public void Lanes_say_what_a_loop_says()
    {
        Random random = new(6);
        for (int round = 0; round < 200; round++)
        {
            byte[] bytes = new byte[64];
            random.NextBytes(bytes);
            byte value = bytes[random.Next(64)];
            ulong equal = 0;
            ulong atMost = 0;
            for (int at = 0; at < 64; at++)
            {
                equal |= bytes[at] == value ? 1UL << at : 0;
                atMost |= bytes[at] <= value ? 1UL << at : 0;
            }

            Assert.Equal((equal, atMost), Lanes(bytes, value));
        }
    }

    private static unsafe (ulong Equal, ulong AtMost) Lanes(byte[] bytes, byte value)
    {
        fixed (byte* at = bytes)
        {
            return (VectorLanes.Equal(at, value), VectorLanes.AtMost(at, value));
        }
    }

    private void Agree(ElementType type, byte[] before, byte[] after, string what)
    {
        EncodedChunk expected = scalar.Encode(type, type, before, after);
        EncodedChunk actual = vector!.Encode(type, type, before, after);
        Assert.True(
            expected.Encoding == actual.Encoding
                && expected.ChangedUnits == actual.ChangedUnits
                && expected.Payload.SequenceEqual(actual.Payload),
            what
        );
        byte[] payload = actual.Payload.ToArray();
        foreach (ChunkCodec codec in new[] { scalar, vector! })
        {
            byte[] bytes = (byte[])before.Clone();
            codec.Apply(actual.Encoding, type, type, payload, bytes, backward: false);
            Assert.True(bytes.AsSpan().SequenceEqual(after), $"{what} forward");
            codec.Apply(actual.Encoding, type, type, payload, bytes, backward: true);
            Assert.True(bytes.AsSpan().SequenceEqual(before), $"{what} backward");
        }
    }

    private static byte[] Elements(int count, Func<int, ushort> bits) =>
        [.. Enumerable.Range(0, count).SelectMany(index => BitConverter.GetBytes(bits(index)))];

    /// <summary>The decoded bytes, or "refused".</summary>
    private static string Decode(ChunkCodec codec, byte[] payload, byte[] before)
    {
        byte[] bytes = (byte[])before.Clone();
        try
        {
            codec.Apply(ChunkEncoding.ClassCode, ElementType.BF16, ElementType.BF16, payload, bytes, backward: false);
            return Convert.ToHexString(bytes);
        }
        catch (CheckpointException refused) when (refused.Error == CheckpointError.JournalDamaged)
        {
            return "refused";
        }
    }
}
