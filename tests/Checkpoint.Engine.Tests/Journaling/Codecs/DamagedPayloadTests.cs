using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling.Codecs;

public sealed class DamagedPayloadTests : IDisposable
{
    private readonly ChunkCodec codec = new();

    public void Dispose() => codec.Dispose();

    [Theory]
    [InlineData(ElementType.BF16)]
    [InlineData(ElementType.F16)]
    [InlineData(ElementType.F32)]
    [InlineData(ElementType.U8)]
    public void A_damaged_payload_is_refused_or_decodes_to_something_but_never_does_harm(ElementType type)
    {
        Random random = new(42);
        for (int round = 0; round < 1500; round++)
        {
            MadePairs.Kind kind = (MadePairs.Kind)(round % Enum.GetValues<MadePairs.Kind>().Length);
            (byte[] before, byte[] after) = MadePairs.Make(type, kind, Math.Pow(random.NextDouble(), 3), random.Next(1, 1500), round);
            EncodedChunk encoded = codec.Encode(type, type, before, after);
            byte[] payload = Damage(encoded.Payload.ToArray(), random);
            AppliesOrRefuses(encoded.Encoding, type, payload, before, round % 2 == 0);
        }
    }

    [Fact]
    public void Damaged_halves_of_a_cast_tensor_do_no_harm()
    {
        Random random = new(44);
        for (int round = 0; round < 1000; round++)
        {
            (byte[] before, byte[] after) = MadePairs.Make(ElementType.F32, MadePairs.Kind.InPlace, 0.05, random.Next(1, 1500), round);
            EncodedChunk encoded = codec.Encode(ElementType.F32, ElementType.BF16, before, after);
            AppliesOrRefuses(encoded.Encoding, ElementType.F32, Damage(encoded.Payload.ToArray(), random), before, round % 2 == 0);
        }
    }

    [Fact]
    public void Random_bytes_are_refused_or_decode_to_something_in_every_encoding()
    {
        Random random = new(43);
        for (int round = 0; round < 4000; round++)
        {
            byte[] payload = new byte[random.Next(0, 200)];
            random.NextBytes(payload);
            byte[] bytes = new byte[random.Next(1, 800) * 4];
            random.NextBytes(bytes);
            ElementType type = new[] { ElementType.BF16, ElementType.F16, ElementType.F32, ElementType.U8 }[round % 4];
            AppliesOrRefuses((ChunkEncoding)random.Next(0, 6), type, payload, bytes, round % 2 == 0);
        }
    }

    [Fact]
    public void A_truncated_class_code_is_refused_at_every_length()
    {
        (byte[] before, byte[] after) = MadePairs.Make(ElementType.BF16, MadePairs.Kind.InPlace, 0.05, 2000, 7);
        EncodedChunk encoded = codec.Encode(ElementType.BF16, ElementType.BF16, before, after);
        Assert.Equal(ChunkEncoding.ClassCode, encoded.Encoding);
        byte[] payload = encoded.Payload.ToArray();
        for (int length = 0; length < payload.Length; length++)
        {
            Assert.Throws<CheckpointException>(() =>
                codec.Apply(
                    ChunkEncoding.ClassCode,
                    ElementType.BF16,
                    ElementType.BF16,
                    payload.AsSpan(0, length),
                    (byte[])before.Clone(),
                    false
                )
            );
        }
    }

    [Fact]
    public void An_encoding_that_does_not_fit_the_type_is_refused()
    {
        Assert.Throws<CheckpointException>(() =>
            codec.Apply(ChunkEncoding.ClassCode, ElementType.U8, ElementType.U8, [0, 0], new byte[8], backward: false)
        );
        Assert.Throws<CheckpointException>(() =>
            codec.Apply((ChunkEncoding)99, ElementType.BF16, ElementType.BF16, [0, 0], new byte[8], backward: false)
        );
    }

    private void AppliesOrRefuses(ChunkEncoding encoding, ElementType type, byte[] payload, byte[] bytes, bool backward)
    {
        try
        {
            codec.Apply(encoding, type, type, payload, bytes, backward);
        }
        catch (CheckpointException refused)
        {
            Assert.Equal(CheckpointError.JournalDamaged, refused.Error);
        }
    }

    private static byte[] Damage(byte[] payload, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                return payload[..random.Next(payload.Length)];
            case 1:
                return [.. payload, (byte)random.Next(256)];
            case 2:
                payload[random.Next(payload.Length)] = (byte)random.Next(256);
                return payload;
            default:
                for (int flips = random.Next(1, 10); flips > 0; flips--)
                {
                    payload[random.Next(payload.Length)] ^= (byte)(1 << random.Next(8));
                }

                return payload;
        }
    }
}
