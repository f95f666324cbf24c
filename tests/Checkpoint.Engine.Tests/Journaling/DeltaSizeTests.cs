using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;
using Xunit.Abstractions;
using ZstdSharp;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>The whole delta file of a real training step, digests and headers included, against the field's usual XOR and zstd-1.</summary>
public sealed class DeltaSizeTests(ITestOutputHelper output)
{
    [Fact]
    public void A_real_training_step_with_an_fp32_master_takes_at_most_0_42_of_xor_and_zstd_and_goes_both_ways()
    {
        using TempDirectory temp = TempDirectory.InMemory();
        string pair = System.IO.Path.Combine(Repository.Root, "tests", "fixtures", "deltas", "sequence");
        string model = temp.Folder("model");
        File.Copy(System.IO.Path.Combine(pair, "v0.safetensors"), System.IO.Path.Combine(model, ModelDirectory.SingleName));
        string after = temp.Folder("after");
        File.Copy(System.IO.Path.Combine(pair, "v1.safetensors"), System.IO.Path.Combine(after, ModelDirectory.SingleName));
        JournaledModel before = new(Disk.Instance, model)
        {
            Options = new JournalOptions { Codec = () => new ChunkCodec(), Workers = 1 },
        };
        byte[][] live = new JournaledModel(Disk.Instance, after).FileChunks();
        byte[][] old = before.FileChunks();
        long delta;
        using (JournalSession session = before.OpenSession())
        {
            using DeltaWriter writer = Append(session, old, live);
            session.Commit(writer, new VersionFacts { Label = new ConsistencyLabel(ConsistencyKind.Stable) });
            delta = new FileInfo(before.Paths.Delta(1)).Length;
            GoBack(session, live, old);
            Assert.Null(session.Fold(FoldWay.Auto, CancellationToken.None).Warning);
        }

        Assert.Equal(live, before.FileChunks());
        long usual = Usual(old, live);
        output.WriteLine($"{delta} bytes of {usual}: {(double)delta / usual:F3}");
        Assert.InRange((double)delta / usual, 0.01, 0.42);
    }

    private static DeltaWriter Append(JournalSession session, byte[][] old, byte[][] live)
    {
        using ChunkCodec codec = new();
        DeltaWriter writer = session.BeginDelta();
        for (int ordinal = 0; ordinal < live.Length; ordinal++)
        {
            if (!old[ordinal].AsSpan().SequenceEqual(live[ordinal]))
            {
                ElementType type = session.Layout[ordinal].Tensor.Type;
                EncodedChunk encoded = codec.Encode(type, type, old[ordinal], live[ordinal]);
                writer.Append(ordinal, type, encoded, session.NewestDigest(ordinal), Digest128.Of(live[ordinal]));
            }
        }

        return writer;
    }

    private static void GoBack(JournalSession session, byte[][] live, byte[][] old)
    {
        using ChunkCodec codec = new();
        using DeltaReader delta = session.Journal.OpenDelta(1);
        foreach (DeltaChunk entry in delta.ReadChunks())
        {
            byte[] bytes = [.. live[entry.Ordinal]];
            DeltaChain.ApplyOne(delta, entry, session.Layout[entry.Ordinal], bytes, codec, backward: true);
            Assert.Equal(old[entry.Ordinal], bytes);
        }
    }

    private static long Usual(byte[][] old, byte[][] live)
    {
        using Compressor zstd = new(1);
        long total = 0;
        for (int i = 0; i < old.Length; i++)
        {
            byte[] xor = [.. old[i].Zip(live[i], (a, b) => (byte)(a ^ b))];
            total += zstd.Wrap(xor).Length;
        }

        return total;
    }
}
