using System.IO.Hashing;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Tests.Crashes;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>Journals of which a part is missing, or comes from elsewhere, with nothing else to tell.</summary>
public sealed class StrayHistoryTests
{
    private readonly CrashingDisk disk = new();
    private readonly JournaledModel model;

    public StrayHistoryTests() => model = JournaledModel.Create(disk, "/model");

    [Fact]
    public void A_delta_of_a_history_that_went_apart_is_refused()
    {
        Sync(model, 1, FoldWay.Patch);
        CrashingDisk other = CrashImages.Of(disk, new Random(1), 2).Last().Disk;
        JournaledModel twin = new(other, "/model");
        using (JournalSession session = twin.OpenSession())
        {
            twin.Sync(session, model.Change(8), FoldWay.Patch);
            twin.Sync(session, twin.Change(9), FoldWay.Patch);
        }

        Sync(model, 2, FoldWay.Patch);
        Take(other, model.Paths.Delta(3));
        Require(CheckpointError.JournalForeign, "was made of another version 2");
    }

    [Fact]
    public void A_delta_of_another_history_with_the_same_bytes_is_refused_though_digests_and_state_are_lost()
    {
        CrashingDisk other = new();
        JournaledModel twin = JournaledModel.Create(other, "/model");
        Sync(twin, 1, FoldWay.Patch);
        Sync(twin, 2, FoldWay.Patch);
        Sync(model, 1, FoldWay.Patch);
        Lose(model.Paths.Digests, model.Paths.State);
        Take(other, model.Paths.Delta(2));
        Require(CheckpointError.JournalForeign, "belongs to another history");
    }

    [Fact]
    public void A_journal_of_another_history_is_not_taken_for_what_an_adopt_left_behind()
    {
        CrashingDisk other = new();
        JournaledModel twin = JournaledModel.Create(other, "/model");
        Sync(twin, 1, FoldWay.Patch);
        Sync(model, 1, FoldWay.Patch);
        Lose(model.Paths.Delta(1), model.Paths.State);
        Take(other, model.Paths.Delta(1));
        CheckpointException e = Assert.Throws<CheckpointException>(model.OpenSession);
        Assert.Equal(CheckpointError.JournalForeign, e.Error);
        Assert.Equal(["0000000001.delta"], disk.List(model.Paths.Journal));
    }

    [Fact]
    public void An_adopted_model_whose_state_is_lost_is_opened()
    {
        Sync(model, 1, FoldWay.Patch);
        new HistoryEngine("/model", options: model.Options, disk: disk).Adopt(CancellationToken.None);
        Lose(model.Paths.State);
        using JournalSession session = model.OpenSession();
        Assert.Equal(2, session.Newest);
    }

    [Fact]
    public void Files_newer_than_the_journal_are_refused()
    {
        Sync(model, 1, FoldWay.Patch);
        Sync(model, 2, FoldWay.Patch);
        Lose(model.Paths.Delta(2), model.Paths.State);
        Require(CheckpointError.JournalDamaged, "deltas are missing");
    }

    [Fact]
    public void Files_older_than_the_journal_reaches_back_are_refused()
    {
        Sync(model, 1, fold: null);
        Sync(model, 2, fold: null);
        Lose(model.Paths.Delta(1), model.Paths.State);
        Require(CheckpointError.JournalDamaged, "deltas are missing");
    }

    [Fact]
    public void A_redo_of_a_version_that_the_journal_lacks_is_refused_before_it_is_applied()
    {
        CrashStage stage = CrashStages.Killed(disk: new CrashingDisk(), FoldWay.Patch, CrashStages.AfterRedoIsNamed);
        string newest = stage.Disk.List(stage.Model.Paths.Journal)[^1];
        stage.Disk.Delete($"{stage.Model.Paths.Journal}/{newest}");
        stage.Disk.Delete(stage.Model.Paths.State);
        CheckpointException e = Assert.Throws<CheckpointException>(stage.Model.OpenSession);
        Assert.Equal(CheckpointError.JournalDamaged, e.Error);
        Assert.Contains("was being patched to it", e.Message);
    }

    [Fact]
    public void Damage_where_no_delta_speaks_is_found_by_the_root_when_digests_are_lost()
    {
        using (JournalSession session = model.OpenSession())
        {
            model.Sync(session, model.Change(1, "a"), FoldWay.Patch);
        }

        Chunk untouched = model.Open().Layout[3];
        using (IDiskFile file = disk.Open(untouched.Shard.FilePath, writable: true))
        {
            file.Write([99, 98, 97], untouched.FileOffset);
        }

        Lose(model.Paths.Digests, model.Paths.State);
        Require(CheckpointError.ShardForeign, "in a chunk that no delta changed");
    }

    [Fact]
    public void A_version_whose_recorded_root_is_another_is_not_restored()
    {
        for (int seed = 1; seed <= 3; seed++)
        {
            Sync(model, seed, FoldWay.Patch);
        }

        Spoil(model.Paths.Delta(1), rootAt: 48);
        Spoil(model.Paths.Delta(2), rootAt: 32);
        HistoryEngine history = new("/model", options: model.Options, disk: disk);
        Assert.All(
            new Action[]
            {
                () => history.Restore(1, null, FoldWay.Patch, CancellationToken.None),
                () => history.RestoreCopy(1, "/copy", null, CancellationToken.None),
            },
            restore => Assert.Equal(CheckpointError.JournalDamaged, Assert.Throws<CheckpointException>(restore).Error)
        );
        Assert.Equal(model.Versions[3], model.FileChunks());
        Assert.Null(disk.Stat("/copy"));
    }

    [Fact]
    public void Only_versions_of_the_journal_are_found_and_opened()
    {
        Sync(model, 1, FoldWay.Patch);
        using JournalSession session = model.OpenSession();
        Assert.Null(session.Journal.Find(0));
        Assert.Null(session.Journal.Find(2));
        Assert.Equal(CheckpointError.VersionUnknown, Assert.Throws<CheckpointException>(() => session.Journal.OpenDelta(2)).Error);
    }

    private static void Sync(JournaledModel model, int seed, FoldWay? fold)
    {
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(seed), fold);
    }

    /// <summary>Another root in a header, its checksums true.</summary>
    private void Spoil(string path, int rootAt)
    {
        using IDiskFile file = disk.Open(path, writable: true);
        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0);
        DeltaTrailer trailer = DeltaFormat.ReadTrailer(bytes.AsSpan(^DeltaFormat.TrailerBytes..), bytes.Length, path);
        Span<byte> header = bytes.AsSpan((int)trailer.HeaderOffset, trailer.HeaderBytes);
        header[rootAt] ^= 1;
        file.Write(header, trailer.HeaderOffset);
        trailer = trailer with { HeaderChecksum = XxHash3.HashToUInt64(header) };
        file.Write(DeltaFormat.WriteTrailer(trailer), bytes.Length - DeltaFormat.TrailerBytes);
    }

    private void Require(CheckpointError error, string message)
    {
        CheckpointException e = Assert.Throws<CheckpointException>(model.OpenSession);
        Assert.Equal(error, e.Error);
        Assert.Contains(message, e.Message);
        Assert.DoesNotContain("than the files", e.Message);
    }

    private void Lose(params string[] paths) => Array.ForEach(paths, disk.Delete);

    private void Take(CrashingDisk other, string path)
    {
        using IDiskFile from = other.Open(path);
        byte[] bytes = new byte[from.Length];
        from.Read(bytes, 0);
        using IDiskFile to = disk.Create(path);
        to.Write(bytes, 0);
    }
}
