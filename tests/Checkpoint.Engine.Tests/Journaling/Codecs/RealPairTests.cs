using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using Xunit;
using ZstdSharp;

namespace ApolloCheckpoint.Engine.Tests.Journaling.Codecs;

/// <summary>
/// Real optimizer steps of a real model: tensors cut from two pairs and two versions of a sequence stand in the fixtures; the whole
/// pairs are tested too where they lie beside the repository or APOLLO_DELTA_PAIRS names their folder.
/// </summary>
public sealed class RealPairTests : IDisposable
{
    // What a delta file adds to a payload: the entry in its index, with both digests.
    private const int ChunkOverhead = 45;
    private readonly ChunkCodec codec = new();
    private readonly Compressor zstd = new(1);

    public void Dispose()
    {
        codec.Dispose();
        zstd.Dispose();
    }

    [Fact]
    public void Steps_in_place_take_at_most_34_percent_of_xor_and_zstd() =>
        AtMost(0.34, Fixtures.Deltas, ("apollo_1e-5_10_steps/before", "apollo_1e-5_10_steps/after"));

    [Fact]
    public void Steps_with_a_master_take_at_most_42_percent_of_xor_and_zstd() =>
        AtMost(
            0.42,
            Fixtures.Deltas,
            ("adamw_master_3e-6_1_step/before", "adamw_master_3e-6_1_step/after"),
            ("sequence/v0", "sequence/v1")
        );

    [SkippableFact]
    public void Whole_pairs_keep_the_ratios()
    {
        string? folder = Whole();
        Skip.If(folder is null, "the whole pairs are not here: set APOLLO_DELTA_PAIRS to their folder");
        AtMost(0.34, folder, ("apollo_1e-5_10_steps/before", "apollo_1e-5_10_steps/after"));
        AtMost(
            0.42,
            folder,
            ("adamw_master_3e-6_1_step/before", "adamw_master_3e-6_1_step/after"),
            ("sequence/v0", "sequence/v1"),
            ("sequence/v1", "sequence/v2"),
            ("sequence/v2", "sequence/v3")
        );
    }

    private static string? Whole()
    {
        string?[] folders =
        [
            Environment.GetEnvironmentVariable("APOLLO_DELTA_PAIRS"),
            Path.Combine(Repository.Root, "..", "shared", "data", "deltas"),
        ];
        return folders.FirstOrDefault(folder => folder is not null && Directory.Exists(folder));
    }

    private void AtMost(double ratio, string folder, params (string Before, string After)[] pairs)
    {
        long coded = 0;
        long xored = 0;
        foreach ((string before, string after) in pairs)
        {
            byte[] beforeBytes = File.ReadAllBytes(Path.Combine(folder, before + ".safetensors"));
            byte[] afterBytes = File.ReadAllBytes(Path.Combine(folder, after + ".safetensors"));
            foreach (TensorEntry tensor in Header(beforeBytes).Tensors)
            {
                coded += Code(tensor, beforeBytes, afterBytes);
                xored += Xor(tensor, beforeBytes, afterBytes);
            }
        }

        Assert.True(coded <= ratio * xored, $"{coded} bytes are {(double)coded / xored:F3} of the {xored} that XOR and zstd take");
    }

    /// <summary>Codes a tensor chunk by chunk, both ways and back.</summary>
    /// <returns>Bytes in a delta; 0 for a chunk that did not change.</returns>
    private long Code(TensorEntry tensor, byte[] beforeBytes, byte[] afterBytes)
    {
        long bytes = 0;
        int count = ChunkLayout.Count(tensor);
        for (int part = 0; part < count; part++)
        {
            int width = tensor.Type.UnitBytes();
            int start = (int)(tensor.FileOffset + ChunkLayout.FirstUnit(tensor, part, count) * width);
            int end = (int)(tensor.FileOffset + ChunkLayout.FirstUnit(tensor, part + 1, count) * width);
            ReadOnlySpan<byte> before = beforeBytes.AsSpan(start..end);
            ReadOnlySpan<byte> after = afterBytes.AsSpan(start..end);
            if (before.SequenceEqual(after))
            {
                continue;
            }

            EncodedChunk encoded = codec.Encode(tensor.Type, tensor.Type, before, after);
            byte[] payload = encoded.Payload.ToArray();
            bytes += payload.Length + ChunkOverhead;
            byte[] work = before.ToArray();
            codec.Apply(encoded.Encoding, tensor.Type, tensor.Type, payload, work, backward: false);
            Assert.True(after.SequenceEqual(work), $"{tensor.Name} forward");
            codec.Apply(encoded.Encoding, tensor.Type, tensor.Type, payload, work, backward: true);
            Assert.True(before.SequenceEqual(work), $"{tensor.Name} backward");
        }

        return bytes;
    }

    private long Xor(TensorEntry tensor, byte[] before, byte[] after)
    {
        byte[] xor = new byte[tensor.ByteLength];
        for (int at = 0; at < xor.Length; at++)
        {
            xor[at] = (byte)(before[tensor.FileOffset + at] ^ after[tensor.FileOffset + at]);
        }

        return xor.AsSpan().ContainsAnyExcept((byte)0) ? zstd.Wrap(xor).Length : 0;
    }

    private static SafetensorsHeader Header(byte[] file) =>
        SafetensorsHeader.Parse(file.AsSpan(0, SafetensorsHeader.ReadPrefix(file, file.Length)), file.Length);
}
