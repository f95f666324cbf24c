using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>Every row of docs/recovery.md.</summary>
public sealed class RecoveryTests : IDisposable
{
    private readonly TempDirectory temp = TempDirectory.InMemory();
    private readonly JournaledModel model;

    public RecoveryTests()
    {
        model = JournaledModel.Create(Disk.Instance, temp.File("model"));
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), FoldWay.Replace);
    }

    public void Dispose() => temp.Dispose();

    [Fact]
    public void Nothing_unfinished_is_left_as_it_is()
    {
        Dictionary<string, byte[]> before = Everything();

        using (JournalSession session = model.OpenSession())
        {
            Assert.Empty(session.Recovered);
            Assert.Empty(session.Warnings);
        }

        Assert.Equal(before, Everything());
    }

    [Fact]
    public void A_delta_that_was_being_written_is_deleted()
    {
        File.WriteAllText(model.Paths.WritingDelta, "half a delta");

        using JournalSession session = model.OpenSession();

        Assert.False(File.Exists(model.Paths.WritingDelta));
        Assert.Equal("an unfinished version was discarded: a sync was interrupted before its commit", Assert.Single(session.Recovered));
        Assert.Equal((1, 1), (session.Newest, session.FilesVersion));
    }

    [Fact]
    public void A_delta_newer_than_the_state_is_taken_in()
    {
        byte[] state = File.ReadAllBytes(model.Paths.State);
        Commit(model.Change(2));
        File.WriteAllBytes(model.Paths.State, state);

        using JournalSession session = model.OpenSession();

        Assert.Equal((2, 1), (session.Newest, session.FilesVersion));
        Assert.StartsWith("version 2 was committed", Assert.Single(session.Recovered));
        Assert.Equal(model.Versions[2], model.BaselineChunks(session));
        Assert.Equal(2, ModelState.TryRead(Disk.Instance, model.Paths.State)?.Newest);
    }

    [Fact]
    public void A_delta_of_another_history_is_refused_and_nothing_is_touched()
    {
        JournaledModel other = JournaledModel.Create(Disk.Instance, temp.File("other"));
        using (JournalSession session = other.OpenSession())
        {
            other.Sync(session, other.Change(5), fold: null);
            other.Sync(session, other.Change(6), fold: null);
        }

        File.Copy(other.Paths.Delta(2), model.Paths.Delta(2));
        AssertRefused(CheckpointError.JournalForeign);
        // Also where it is the only one.
        File.Delete(model.Paths.Delta(2));
        File.Copy(other.Paths.Delta(1), model.Paths.Delta(1), overwrite: true);
        AssertRefused(CheckpointError.JournalForeign);
    }

    [Fact]
    public void A_delta_whose_parent_is_missing_is_refused_and_nothing_is_touched()
    {
        Commit(model.Change(2));
        Commit(model.Change(3));
        File.Delete(model.Paths.Delta(2));

        AssertRefused(CheckpointError.JournalDamaged);
    }

    [Fact]
    public void A_version_that_the_state_knows_and_the_journal_lacks_is_refused()
    {
        Commit(model.Change(2));
        File.Delete(model.Paths.Delta(2));

        AssertRefused(CheckpointError.JournalDamaged);
    }

    [Fact]
    public void A_renamed_delta_is_refused()
    {
        File.Copy(model.Paths.Delta(1), model.Paths.Delta(2));

        AssertRefused(CheckpointError.JournalForeign);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void State_and_digests_that_are_lost_are_rebuilt(bool loseDigests, bool loseState)
    {
        Commit(model.Change(2, "a"));
        if (loseDigests)
        {
            File.WriteAllText(model.Paths.Digests, "not digests");
        }

        if (loseState)
        {
            File.Delete(model.Paths.State);
        }

        using JournalSession session = model.OpenSession();

        Assert.Equal((2, 1, false), (session.Newest, session.FilesVersion, session.IsFirst));
        Assert.Equal(loseDigests ? 1 : 0, session.Recovered.Count);
        Assert.Equal(model.Versions[2], model.BaselineChunks(session));
        Assert.NotNull(DigestTable.TryRead(Disk.Instance, model.Paths.Digests));
        Assert.Equal(2, ModelState.TryRead(Disk.Instance, model.Paths.State)?.Newest);
    }

    [Fact]
    public void Digests_that_contradict_the_journal_are_rebuilt()
    {
        Commit(model.Change(2));
        DigestTable table = DigestTable.TryRead(Disk.Instance, model.Paths.Digests)!;
        table.Digests[1] = new Digest128(table.Digests[1].High, table.Digests[1].Low + 1);
        table.Save(Disk.Instance, model.Paths.Digests);

        using JournalSession session = model.OpenSession();

        Assert.Equal(model.Versions[2], model.BaselineChunks(session));
        Assert.Contains(session.Recovered, sentence => sentence.StartsWith("the digests were missing"));
    }

    [Fact]
    public void An_unfinished_replacement_is_deleted()
    {
        string folding = model.Paths.FoldingOf(model.Open().Layout.Shards[0].FileName);
        File.WriteAllText(folding, "half a shard");

        using JournalSession session = model.OpenSession();

        Assert.False(File.Exists(folding));
        Assert.Equal("unfinished replacements of shards were deleted: a fold was interrupted", Assert.Single(session.Recovered));
    }

    [Fact]
    public void A_fold_that_reached_only_some_shards_is_finished()
    {
        byte[][] next = model.Change(2);
        Commit(next);
        WriteChunks(next, shard: 0);

        using JournalSession session = model.OpenSession();

        Assert.Equal((2, 2), (session.Newest, session.FilesVersion));
        Assert.Equal(next, model.FileChunks());
    }

    [Fact]
    public void A_fold_that_reached_only_some_chunks_of_a_shard_is_finished()
    {
        Commit(model.Change(2, "a", "b"));
        byte[][] next = model.Change(3, "a", "b");
        Commit(next);
        // Chunk 0 of version 3, chunk 1 of version 2, the others of version 1.
        byte[][] mix = [next[0], model.Versions[2][1], .. model.Versions[1].Skip(2)];
        WriteChunks(mix, shard: 0);

        using JournalSession session = model.OpenSession();

        Assert.Equal((3, 3), (session.Newest, session.FilesVersion));
        Assert.Equal(next, model.FileChunks());
    }

    [Fact]
    public void A_shard_of_an_older_version_is_recognised()
    {
        Commit(model.Change(2), FoldWay.Replace);
        Commit(model.Change(3), FoldWay.Replace);
        WriteChunks(model.Versions[1], shard: 0);
        WriteChunks(model.Versions[1], shard: 1);

        using JournalSession session = model.OpenSession();

        Assert.Equal((3, 1), (session.Newest, session.FilesVersion));
        Assert.Equal(model.Versions[3], model.BaselineChunks(session));
    }

    [Fact]
    public void Files_that_were_only_copied_are_the_same_files()
    {
        foreach (Shard shard in model.Open().Layout.Shards)
        {
            File.Copy(shard.FilePath, shard.FilePath + ".copy");
            File.Move(shard.FilePath + ".copy", shard.FilePath, overwrite: true);
        }

        using JournalSession session = model.OpenSession();

        Assert.Equal((1, 1), (session.Newest, session.FilesVersion));
        Assert.Empty(session.Recovered);
    }

    [Fact]
    public void A_chunk_that_fits_no_version_is_named_and_refused()
    {
        Shard shard = model.Open().Layout.Shards[0];
        TensorEntry tensor = shard.Header.Tensors[0];
        Overwrite(shard.FilePath, tensor.FileOffset + 5, [1, 2, 3, 4, 5, 6, 7, 8]);

        CheckpointException e = Assert.Throws<CheckpointException>(model.OpenSession);

        Assert.Equal((CheckpointError.ShardForeign, 10), (e.Error, e.ExitCode));
        Assert.Equal(
            $"shard {shard.FileName}: tensor \"{tensor.Name}\", bytes {tensor.FileOffset} to {tensor.FileOffset + tensor.ByteLength} "
                + "of the file, hold what no version held: damaged, or changed by something else",
            e.Message
        );
        Assert.All(["sync --repair", "restore --from", "adopt"], way => Assert.Contains(way, e.Next));
    }

    [Theory]
    [InlineData(FoldWay.Patch)]
    [InlineData(FoldWay.Replace)]
    public void A_damaged_chunk_is_taken_from_the_live_model_when_that_is_asked(FoldWay way)
    {
        Shard shard = model.Open().Layout.Shards[0];
        Overwrite(shard.FilePath, shard.Header.Tensors[0].FileOffset + 5, [1, 2, 3, 4, 5, 6, 7, 8]);
        model.Options = model.Options with { Repair = true };
        byte[][] live = model.Change(7, "c");

        using (JournalSession session = model.OpenSession())
        {
            Assert.Equal([0], session.Damaged);
            Assert.Null(model.Sync(session, live, way)?.Warning);
            Assert.Empty(session.Damaged);
        }

        Assert.Equal(live, model.FileChunks());
        model.Options = model.Options with { Repair = false };
        using JournalSession again = model.OpenSession();
        Assert.Equal((2, 2), (again.Newest, again.FilesVersion));
    }

    [Fact]
    public void A_shard_with_another_header_is_foreign()
    {
        Shard shard = model.Open().Layout.Shards[1];
        byte[] bytes = File.ReadAllBytes(shard.FilePath);
        int place = bytes.AsSpan().IndexOf("\"pt\""u8);
        bytes[place + 1] = (byte)'q';
        File.WriteAllBytes(shard.FilePath, bytes);

        AssertRefused(CheckpointError.ShardForeign);
    }

    [Fact]
    public void Deltas_that_a_prune_gave_up_are_deleted()
    {
        for (int seed = 2; seed <= 5; seed++)
        {
            Commit(model.Change(seed), FoldWay.Replace);
        }

        byte[] third = File.ReadAllBytes(model.Paths.Delta(3));
        using (JournalSession session = model.OpenSession())
        {
            Assert.Equal([1, 2, 3], session.Prune(4));
        }

        // As after a crash: one of the files is there again.
        File.WriteAllBytes(model.Paths.Delta(3), third);
        using JournalSession again = model.OpenSession();
        Assert.Equal([4L, 5L], again.Journal.Versions.Select(version => version.Version));
        Assert.False(File.Exists(model.Paths.Delta(3)));
    }

    [Fact]
    public void A_reader_reports_what_is_pending_and_writes_nothing()
    {
        Commit(model.Change(2));
        File.WriteAllText(model.Paths.WritingDelta, "x");
        File.WriteAllText(model.Paths.FoldingOf(model.Open().Layout.Shards[1].FileName), "x");
        File.WriteAllText(model.Paths.RedoOf(model.Open().Layout.Shards[0].FileName), "x");
        WriteChunks(model.Versions[2], shard: 0);
        Dictionary<string, byte[]> before = Everything();

        IReadOnlyList<string> pending = PendingWork.Peek(Disk.Instance, model.Open().Layout, model.Paths);
        model.Options = model.Options with { ReadOnly = true };
        using (JournalSession session = model.OpenSession())
        {
            Assert.Equal((2, 1), (session.Newest, session.FilesVersion));
            Assert.Equal(model.Versions[2], model.BaselineChunks(session));
        }

        Assert.Equal(3, pending.Count);
        Assert.Equal(before, Everything());
    }

    private void Commit(byte[][] next, FoldWay? fold = null)
    {
        using JournalSession session = model.OpenSession();
        model.Sync(session, next, fold);
    }

    private void AssertRefused(CheckpointError error)
    {
        Dictionary<string, byte[]> before = Everything();
        Assert.Equal(error, Assert.Throws<CheckpointException>(model.OpenSession).Error);
        Assert.Equal(before, Everything());
    }

    /// <summary>Every file under the model directory.</summary>
    private Dictionary<string, byte[]> Everything() =>
        Directory.GetFiles(model.Path, "*", SearchOption.AllDirectories).Order().ToDictionary(path => path, File.ReadAllBytes);

    private void WriteChunks(byte[][] chunks, int shard)
    {
        ModelLayout layout = model.Open().Layout;
        (int first, int count) = layout.ChunksOf(layout.Shards[shard]);
        for (int ordinal = first; ordinal < first + count; ordinal++)
        {
            Overwrite(layout.Shards[shard].FilePath, layout[ordinal].FileOffset, chunks[ordinal]);
        }
    }

    private static void Overwrite(string path, long offset, byte[] bytes)
    {
        using IDiskFile file = Disk.Instance.Open(path, writable: true);
        file.Write(bytes, offset);
    }
}
