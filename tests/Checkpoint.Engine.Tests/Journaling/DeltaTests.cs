using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

public sealed class DeltaTests : IDisposable
{
    private readonly TempDirectory temp = TempDirectory.InMemory();
    private readonly JournaledModel model;
    private readonly ModelLayout layout;
    private readonly StatePaths paths;

    public DeltaTests()
    {
        model = JournaledModel.Create(Disk.Instance, temp.File("model"));
        layout = model.Open().Layout;
        paths = model.Paths;
        StateFolder.Prepare(Disk.Instance, paths, allowUnfit: true);
    }

    public void Dispose() => temp.Dispose();

    private static readonly DeltaHeader Plain = new()
    {
        Lineage = Digest(1),
        ModelIdentity = Digest(2),
        Version = 42,
        ParentRoot = Digest(3),
        Root = Digest(4),
        TimeNs = 1_764_000_000_000_000_000,
        Label = new ConsistencyLabel(ConsistencyKind.Stable),
    };

    [Fact]
    public void Every_field_of_a_header_comes_back()
    {
        DeltaHeader full = Plain with
        {
            Lineage = new Digest128(ulong.MaxValue, ulong.MaxValue),
            Step = -7,
            Label = new ConsistencyLabel(ConsistencyKind.Locked, -7),
            ChangedUnits = long.MaxValue,
            ComparedUnits = 5,
            Producer = "vllm 0.32 · Größe",
            ProducerPid = int.MaxValue,
            ProducerStartTicks = 99,
        };

        Assert.Equal(full, DeltaFormat.ReadHeader(DeltaFormat.WriteHeader(full), "x"));
        Assert.Equal(Plain, DeltaFormat.ReadHeader(DeltaFormat.WriteHeader(Plain), "x"));
    }

    [Fact]
    public void Names_of_mixed_tensors_come_back()
    {
        DeltaHeader mixed = Plain with { Label = new ConsistencyLabel(ConsistencyKind.Mixed, null, ["a", "", "model.ü"]) };

        DeltaHeader read = DeltaFormat.ReadHeader(DeltaFormat.WriteHeader(mixed), "x");

        Assert.Equal(["a", "", "model.ü"], read.Label.MixedTensors);
        Assert.Equal("mixed: 3 tensors", read.Label.ToString());
    }

    [Fact]
    public void Chunks_are_found_by_ordinal_in_whatever_order_they_were_appended() =>
        Gen.Int[0, 1000]
            .Sample(
                seed =>
                {
                    Random random = new(seed);
                    int[] ordinals = [.. Enumerable.Range(0, layout.ChunkCount).Where(_ => random.Next(3) > 0)];
                    random.Shuffle(ordinals);
                    using DeltaReader delta = Write(writer =>
                    {
                        foreach (int ordinal in ordinals)
                        {
                            Append(writer, ordinal, (byte)ordinal, length: ordinal * 3);
                        }
                    });

                    Assert.Equal(ordinals.Order(), delta.ReadChunks().Select(chunk => chunk.Ordinal));
                    foreach (DeltaChunk chunk in delta.ReadChunks())
                    {
                        Assert.Equal(chunk, delta.Find(chunk.Ordinal));
                        Assert.Equal((Digest(chunk.Ordinal), Digest(chunk.Ordinal + 100)), (chunk.DigestBefore, chunk.DigestAfter));
                        byte[] expected = [.. Enumerable.Repeat((byte)chunk.Ordinal, chunk.Ordinal * 3)];
                        Assert.Equal(expected, delta.ReadPayload(chunk, new byte[100]).ToArray());
                    }

                    delta.VerifyPayloads(CancellationToken.None);
                },
                iter: 30,
                threads: 1
            );

    [Fact]
    public void The_last_word_on_a_chunk_counts_and_a_chunk_can_be_taken_back()
    {
        using DeltaReader delta = Write(writer =>
        {
            Append(writer, 1, 10, length: 5);
            Append(writer, 2, 20, length: 5);
            Append(writer, 1, 11, length: 6);
            writer.Remove(2);
        });

        DeltaChunk only = Assert.Single(delta.ReadChunks());
        Assert.Equal((byte[])[11, 11, 11, 11, 11, 11], delta.ReadPayload(only, new byte[10]).ToArray());
        Assert.Null(delta.Find(2));
        delta.VerifyPayloads(CancellationToken.None);
    }

    [Fact]
    public void An_abandoned_delta_leaves_nothing()
    {
        using (DeltaWriter writer = DeltaWriter.Create(Disk.Instance, paths))
        {
            Append(writer, 0, 1, 10);
        }

        Assert.Empty(Directory.GetFiles(paths.Journal));
    }

    [Fact]
    public void A_version_is_never_written_over_another()
    {
        Write(writer => Append(writer, 0, 1, 10)).Dispose();
        byte[] first = File.ReadAllBytes(paths.Delta(42));
        using DeltaWriter second = DeltaWriter.Create(Disk.Instance, paths);
        Append(second, 1, 2, 20);

        CheckpointException e = Assert.Throws<CheckpointException>(() => second.Commit(Plain with { ModelIdentity = layout.Identity }));
        Assert.Equal(CheckpointError.JournalForeign, e.Error);
        Assert.Equal(first, File.ReadAllBytes(paths.Delta(42)));
    }

    [Fact]
    public void What_a_delta_adds_to_its_payloads_is_small()
    {
        using DeltaReader delta = Write(writer =>
        {
            for (int i = 0; i < layout.ChunkCount; i++)
            {
                Append(writer, i, 1, 100);
            }
        });

        long overhead = new FileInfo(delta.Path).Length - 100 * layout.ChunkCount;
        Assert.InRange(overhead, 1, 160 + 36 * layout.ChunkCount);
    }

    [Fact]
    public void A_delta_that_is_cut_anywhere_is_damaged()
    {
        byte[] whole = WholeDelta();
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Equal(CheckpointError.JournalDamaged, ReadAll(whole[..length]));
        }
    }

    [Fact]
    public void A_delta_with_any_bit_flipped_is_refused_or_gives_the_right_bytes()
    {
        byte[] whole = WholeDelta();
        Assert.Null(ReadAll(whole));
        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            byte[] damaged = [.. whole];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            CheckpointError? error = ReadAll(damaged);
            Assert.True(
                error is CheckpointError.JournalDamaged or CheckpointError.JournalTooNew,
                $"bit {bit} of {whole.Length * 8}: {error?.ToString() ?? "nothing noticed"}"
            );
        }
    }

    [Fact]
    public void A_delta_of_random_bytes_is_damaged() =>
        Gen.Byte.Array[0, 400].Sample(bytes => Assert.Equal(CheckpointError.JournalDamaged, ReadAll(bytes)), iter: 300, threads: 1);

    [Fact]
    public void An_index_that_lies_under_a_good_checksum_is_damaged() =>
        Gen
            .Byte.Array[0, 200]
            .Sample(
                bytes =>
                {
                    try
                    {
                        DeltaIndex index = DeltaIndex.Read(bytes, layout.ChunkCount, 1000, "x");
                        // What is accepted lies inside the file and the layout.
                        for (int ordinal = 0; ordinal < layout.ChunkCount; ordinal++)
                        {
                            int i = index.Find(ordinal);
                            if (i >= 0)
                            {
                                DeltaChunk chunk = index.At(i, default, default);
                                Assert.InRange(chunk.PayloadOffset, DeltaFormat.PrologueBytes, 1000 - chunk.PayloadLength);
                            }
                        }
                    }
                    catch (CheckpointException e)
                    {
                        Assert.Equal(CheckpointError.JournalDamaged, e.Error);
                    }
                },
                iter: 5000,
                threads: 1
            );

    [Fact]
    public void A_delta_of_another_model_is_foreign()
    {
        using DeltaWriter writer = DeltaWriter.Create(Disk.Instance, paths);
        Append(writer, 0, 1, 10);
        writer.Commit(Plain);

        CheckpointException e = Assert.Throws<CheckpointException>(() => DeltaReader.Open(Disk.Instance, paths.Delta(42), layout));
        Assert.Equal(CheckpointError.JournalForeign, e.Error);
    }

    private static Digest128 Digest(int number) => new(0, (ulong)number);

    private static void Append(DeltaWriter writer, int ordinal, byte fill, int length)
    {
        byte[] payload = new byte[length];
        Array.Fill(payload, fill);
        EncodedChunk encoded = new(ChunkEncoding.Dense, payload, 1);
        writer.Append(ordinal, ElementType.BF16, encoded, Digest(ordinal), Digest(ordinal + 100));
    }

    private DeltaReader Write(Action<DeltaWriter> append)
    {
        File.Delete(paths.Delta(42));
        using DeltaWriter writer = DeltaWriter.Create(Disk.Instance, paths);
        append(writer);
        writer.Commit(Plain with { ModelIdentity = layout.Identity });
        return DeltaReader.Open(Disk.Instance, paths.Delta(42), layout);
    }

    private byte[] WholeDelta()
    {
        using DeltaReader delta = Write(writer =>
        {
            Append(writer, 0, 7, 9);
            Append(writer, 3, 8, 4);
        });
        return File.ReadAllBytes(delta.Path);
    }

    /// <summary>Reads everything there is to read in a file of these bytes.</summary>
    private CheckpointError? ReadAll(byte[] bytes)
    {
        string path = temp.File("damaged.delta");
        File.WriteAllBytes(path, bytes);
        try
        {
            _ = DeltaReader.ReadHeader(Disk.Instance, path);
            using DeltaReader delta = DeltaReader.Open(Disk.Instance, path, layout);
            foreach (DeltaChunk chunk in delta.ReadChunks())
            {
                _ = delta.ReadPayload(chunk, new byte[DeltaFormat.MaxPayloadBytes]);
            }

            delta.VerifyPayloads(CancellationToken.None);
            return null;
        }
        catch (CheckpointException e)
        {
            return e.Error;
        }
    }
}
