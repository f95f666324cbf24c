using System.Buffers.Binary;
using System.IO.Hashing;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>Files of ours whose checksums are true and whose contents are not, and files that are cut while they are read.</summary>
public sealed class LyingFilesTests
{
    private readonly CrashingDisk disk = new();
    private readonly JournaledModel model;

    public LyingFilesTests() => model = JournaledModel.Create(disk, "/model");

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(10)]
    public void Digests_of_another_format_are_none(int place)
    {
        model.OpenSession().Dispose();
        Edit(
            model.Paths.Digests,
            bytes =>
            {
                bytes[place] ^= 1;
                BinaryPrimitives.WriteUInt128LittleEndian(
                    bytes.AsSpan(bytes.Length - 16),
                    XxHash128.HashToUInt128(bytes.AsSpan(0, bytes.Length - 16))
                );
            }
        );
        Assert.Null(DigestTable.TryRead(disk, model.Paths.Digests));
    }

    [Fact]
    public void Digests_of_other_shards_or_of_fewer_chunks_do_not_fit()
    {
        using JournalSession session = model.OpenSession();
        DigestTable table = session.Table;
        Assert.True(table.Fits(session.Layout));
        Assert.False(new DigestTable(table.Lineage, table.Identity, [.. table.Shards.Reverse()], table.Digests).Fits(session.Layout));
        Assert.False(new DigestTable(table.Lineage, table.Identity, table.Shards, table.Digests[..^1]).Fits(session.Layout));
    }

    [Fact]
    public void A_shard_of_another_length_time_or_inode_looks_changed()
    {
        using JournalSession session = model.OpenSession();
        Shard shard = session.Layout.Shards[0];
        ShardRecord record = session.RecordOf(shard);
        FileEntry entry = ShardFiles.Look(disk, shard);
        Assert.True(record.LooksLike(entry));
        Assert.False((record with { Length = record.Length + 1 }).LooksLike(entry));
        Assert.False((record with { ModifiedNs = record.ModifiedNs + 1 }).LooksLike(entry));
        Assert.False((record with { Inode = record.Inode + 1 }).LooksLike(entry));
    }

    [Fact]
    public void A_file_longer_than_it_may_be_is_not_read_into_memory()
    {
        model.OpenSession().Dispose();
        Assert.Null(AtomicFile.TryRead(disk, model.Paths.State, 3));
    }

    [Theory]
    [InlineData(DeltaFormat.PrologueBytes - 1, 0)]
    [InlineData(DeltaFormat.PrologueBytes, 1)]
    public void A_trailer_whose_parts_do_not_fill_the_file_is_damaged(int headerOffset, int more)
    {
        RequireDamaged(() => DeltaFormat.ReadTrailer([1, 2, 3], 3, "a delta"));
        DeltaTrailer trailer = new(headerOffset, 10, 5, 0, 0, 0);
        long length = headerOffset + 10 + 5 + DeltaFormat.TrailerBytes + more;
        RequireDamaged(() => DeltaFormat.ReadTrailer(DeltaFormat.WriteTrailer(trailer), length, "a delta"));
    }

    [Fact]
    public void An_index_with_an_unknown_coding_a_payload_elsewhere_or_a_byte_more_is_damaged()
    {
        const long End = DeltaFormat.PrologueBytes + 4;
        byte[] index = DeltaIndex.Write([
            new DeltaChunk(
                0,
                ChunkEncoding.Dense,
                ElementType.BF16,
                DeltaFormat.PrologueBytes,
                4,
                new Digest128(0, 1),
                new Digest128(0, 2)
            ),
        ]);
        Assert.Equal(1, DeltaIndex.Read(index, 3, End, "a delta").Count);
        RequireDamaged(() => DeltaIndex.Read([index[0], index[1], 0xFF, .. index[3..]], 3, End, "a delta"));
        RequireDamaged(() => DeltaIndex.Read(index, 3, End - 1, "a delta"));
        RequireDamaged(() => DeltaIndex.Read([.. index, 0], 3, End, "a delta"));
    }

    [Fact]
    public void Fields_end_where_they_say_and_no_number_of_bytes_is_negative()
    {
        RequireDamaged(() => new FieldReader([1, 2, 3], "a file").End());
        RequireDamaged(() => new FieldReader([1, 2, 3], "a file").Take(-1).ToArray());
    }

    [Fact]
    public void A_delta_that_is_cut_while_it_is_open_is_damaged()
    {
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), FoldWay.Patch);
        using DeltaReader delta = DeltaReader.Open(disk, model.Paths.Delta(1), session.Layout);
        DeltaChunk chunk = delta.ReadChunks()[^1];
        Cut(model.Paths.Delta(1), 100);
        RequireDamaged(() => delta.ReadChunks());
        RequireDamaged(() => delta.ReadPayload(chunk, new byte[DeltaFormat.MaxPayloadBytes]).ToArray());
    }

    [Fact]
    public void A_shard_that_is_cut_or_written_to_while_it_is_open_has_changed_meanwhile()
    {
        using JournalSession session = model.OpenSession();
        Chunk last = session.Layout[session.Layout.ChunkCount - 1];
        using ShardFiles files = new(disk, session.Layout.Shards);
        Edit(last.Shard.FilePath, bytes => bytes[9] ^= 1);
        Assert.Equal(CheckpointError.ShardForeign, Assert.Throws<CheckpointException>(() => files.ReadHeader(last.Shard)).Error);
        Cut(last.Shard.FilePath, (int)last.Shard.Length - 1);
        RequireChanged(() => files.Read(last, new byte[last.ByteLength]).ToArray());
        RequireChanged(() => new ShardFiles(disk, session.Layout.Shards).Dispose());
        RequireChanged(() => session.OpenBaseline().Dispose());
    }

    /// <summary>A redo of two chunks, the first with two ranges.</summary>
    [Theory]
    [InlineData("the end mark", "is another")]
    [InlineData("the number of records", "is another")]
    [InlineData("the order of the records", "is the other one")]
    [InlineData("the second range", "begins before the end of the first")]
    public void A_redo_that_lies_under_a_good_checksum_is_none(string part, string lie)
    {
        Assert.NotEmpty(lie);
        using JournalSession session = model.OpenSession();
        Shard shard = session.Layout.Shards[0];
        string path = model.Paths.RedoOf(shard.FileName);
        int first = session.Layout.ChunksOf(shard).First;
        using (RedoWriter redo = RedoWriter.Create(session, shard, 1 << 16))
        {
            redo.Add(first, new Digest128(0, 1), [(0, 8), (16, 8)], new byte[64]);
            redo.Add(first + 1, new Digest128(0, 2), [(0, 8)], new byte[64]);
            redo.Seal(shard);
        }

        using (RedoReader? whole = RedoReader.TryOpen(disk, path, session.Lineage, session.Layout, shard))
        {
            Assert.NotNull(whole);
        }

        Edit(path, bytes => Lie(bytes, part));
        using RedoReader? read = RedoReader.TryOpen(disk, path, session.Lineage, session.Layout, shard);
        Assert.Null(read);
    }

    [Fact]
    public void A_redo_that_is_not_there_is_none()
    {
        using JournalSession session = model.OpenSession();
        Assert.Null(RedoReader.TryOpen(disk, model.Paths.RedoOf("none"), session.Lineage, session.Layout, session.Layout.Shards[0]));
    }

    private static void Lie(byte[] redo, string part)
    {
        int trailer = redo.Length - RedoFormat.TrailerBytes;
        // Heads of 24 bytes; two ranges and 16 bytes, then one range and 8 bytes.
        int second = trailer - RedoFormat.RecordHeadBytes - 8 - 8;
        int first = second - RedoFormat.RecordHeadBytes - 16 - 16;
        switch (part)
        {
            case "the end mark":
                redo[^1] ^= 1;
                break;
            case "the number of records":
                redo[trailer] ^= 1;
                break;
            case "the order of the records":
                (redo[first], redo[second]) = (redo[second], redo[first]);
                break;
            default:
                redo[first + RedoFormat.RecordHeadBytes + 8] = 4;
                break;
        }

        BinaryPrimitives.WriteUInt128LittleEndian(redo.AsSpan(trailer + 4), XxHash128.HashToUInt128(redo.AsSpan(0, trailer + 4)));
    }

    private static void RequireDamaged(Action action) =>
        Assert.Equal(CheckpointError.JournalDamaged, Assert.Throws<CheckpointException>(action).Error);

    private static void RequireChanged(Action action) =>
        Assert.Equal(CheckpointError.ShardChangedMeanwhile, Assert.Throws<CheckpointException>(action).Error);

    private void Edit(string path, Action<byte[]> edit)
    {
        using IDiskFile file = disk.Open(path, writable: true);
        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0);
        edit(bytes);
        file.Write(bytes, 0);
        file.Flush();
    }

    private void Cut(string path, int length)
    {
        using IDiskFile file = disk.Open(path, writable: true);
        file.SetLength(length);
    }
}
