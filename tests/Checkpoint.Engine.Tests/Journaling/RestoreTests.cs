using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>Going to a version in place, with and without a mirror.</summary>
public sealed class RestoreTests
{
    private readonly CrashingDisk disk = new();
    private readonly JournaledModel model;

    public RestoreTests() => model = JournaledModel.Create(disk, "/model");

    private HistoryEngine Engine => new("/model", options: model.Options, disk: disk);

    [Theory]
    [InlineData(0, FoldWay.Patch)]
    [InlineData(1, FoldWay.Replace)]
    [InlineData(2, FoldWay.Auto)]
    [InlineData(3, FoldWay.Patch)]
    public void Any_version_comes_back_as_a_new_one(int wanted, FoldWay way)
    {
        Sync(count: 4, FoldWay.Auto);
        RestoreReport report = Engine.Restore(wanted, null, way, CancellationToken.None);
        Assert.Equal((wanted, 5, 5), (report.Restored, report.Version, report.FilesVersion));
        Assert.Equal(model.Versions[wanted], model.FileChunks());
        using JournalSession session = model.OpenSession();
        Assert.Equal((5, true), (session.Newest, session.State.Restored));
        Assert.Equal(ConsistencyKind.Restored, session.Journal.Last?.Label.Kind);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Versions_that_were_never_folded_are_restored_too(int wanted)
    {
        Sync(count: 2, FoldWay.Auto);
        Sync(count: 2, fold: null);
        Engine.Restore(wanted, null, FoldWay.Patch, CancellationToken.None);
        Assert.Equal(model.Versions[wanted], wanted == 4 ? Newest() : model.FileChunks());
    }

    [Fact]
    public void A_restore_is_undone_by_a_restore()
    {
        Sync(count: 3, FoldWay.Auto);
        Engine.Restore(0, null, FoldWay.Auto, CancellationToken.None);
        RestoreReport report = Engine.Restore(3, null, FoldWay.Auto, CancellationToken.None);
        Assert.Equal(5, report.Version);
        Assert.Equal(model.Versions[3], model.FileChunks());
    }

    [Fact]
    public void The_newest_version_needs_no_new_one()
    {
        Sync(count: 2, FoldWay.Auto);
        RestoreReport report = Engine.Restore(2, null, FoldWay.Auto, CancellationToken.None);
        Assert.Equal((2, 0, 0L), (report.Version, report.Chunks, report.WrittenBytes));
        Assert.Equal(["0000000001.delta", "0000000002.delta"], disk.List(model.Paths.Journal));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(4)]
    public void A_version_that_is_not_in_the_history_is_refused_with_its_bounds(int wanted)
    {
        Sync(count: 3, FoldWay.Auto);
        CheckpointException e = Assert.Throws<CheckpointException>(() =>
            Engine.Restore(wanted, null, FoldWay.Auto, CancellationToken.None)
        );
        Assert.Equal(CheckpointError.VersionUnknown, e.Error);
        Assert.Contains("from 0 to 3", e.Message, StringComparison.Ordinal);
        Assert.Contains("version 3", e.ModelState, StringComparison.Ordinal);
        Assert.Equal(model.Versions[3], model.FileChunks());
    }

    [Fact]
    public void A_pruned_version_is_refused()
    {
        Sync(count: 4, FoldWay.Auto);
        Engine.Prune(keepLast: 2, null, CancellationToken.None);
        Assert.Throws<CheckpointException>(() => Engine.Restore(1, null, FoldWay.Auto, CancellationToken.None));
        Engine.Restore(2, null, FoldWay.Auto, CancellationToken.None);
        Assert.Equal(model.Versions[2], model.FileChunks());
    }

    [Fact]
    public void A_model_that_was_never_synced_has_no_versions_and_gets_no_folder()
    {
        CheckpointException e = Assert.Throws<CheckpointException>(() => Engine.Restore(0, null, FoldWay.Auto, CancellationToken.None));
        Assert.Equal(CheckpointError.VersionUnknown, e.Error);
        Assert.Null(disk.Stat(model.Paths.Folder));
    }

    [Fact]
    public void A_cancelled_restore_leaves_the_model_as_it_was()
    {
        Sync(count: 2, FoldWay.Auto);
        CheckpointException e = Assert.Throws<CheckpointException>(() =>
            Engine.Restore(0, null, FoldWay.Auto, new CancellationToken(canceled: true))
        );
        Assert.Equal(CheckpointError.Cancelled, e.Error);
        Assert.Equal(model.Versions[2], model.FileChunks());
        Assert.Equal(["0000000001.delta", "0000000002.delta"], disk.List(model.Paths.Journal));
    }

    [Fact]
    public void A_damaged_delta_is_named_and_nothing_changes()
    {
        Sync(count: 3, FoldWay.Auto);
        Spoil(model.Paths.Delta(2), 40);
        CheckpointException e = Assert.Throws<CheckpointException>(() => Engine.Restore(0, null, FoldWay.Auto, CancellationToken.None));
        Assert.Equal(14, e.ExitCode);
        Assert.Contains("0000000002.delta", e.Message, StringComparison.Ordinal);
        Assert.Equal(model.Versions[3], model.FileChunks());
        Engine.Restore(2, null, FoldWay.Auto, CancellationToken.None);
        Assert.Equal(model.Versions[2], model.FileChunks());
    }

    [Fact]
    public void A_damaged_shard_is_refused_without_a_mirror_and_repaired_with_one()
    {
        Sync(count: 2, FoldWay.Auto);
        Copy("/mirror");
        SpoilShard(0);
        Assert.Equal(
            CheckpointError.ShardForeign,
            Assert.Throws<CheckpointException>(() => Engine.Restore(1, null, FoldWay.Auto, CancellationToken.None)).Error
        );
        RestoreReport report = Engine.Restore(null, "/mirror", FoldWay.Patch, CancellationToken.None);
        Assert.Equal((2, 3, 3, 1), (report.Restored, report.Version, report.FilesVersion, report.FromMirror));
        Assert.Equal(model.Versions[2], model.FileChunks());
    }

    [Fact]
    public void A_repair_from_a_mirror_closes_no_way_back()
    {
        Sync(count: 2, FoldWay.Auto);
        Copy("/mirror");
        SpoilShard(0);
        Engine.Restore(0, "/mirror", FoldWay.Auto, CancellationToken.None);
        Assert.Equal(model.Versions[0], model.FileChunks());
        Engine.Restore(1, null, FoldWay.Auto, CancellationToken.None);
        Assert.Equal(model.Versions[1], model.FileChunks());
    }

    [Fact]
    public void A_mirror_of_an_older_version_serves_as_well()
    {
        Sync(count: 1, FoldWay.Auto);
        Copy("/mirror");
        Sync(count: 2, FoldWay.Auto);
        SpoilShard(0);
        Engine.Restore(null, "/mirror", FoldWay.Auto, CancellationToken.None);
        Assert.Equal(model.Versions[3], model.FileChunks());
    }

    [Fact]
    public void A_repair_from_a_mirror_keeps_the_producer_of_the_newest_version()
    {
        Sync(count: 1, FoldWay.Auto);
        Copy("/mirror");
        SpoilShard(0);
        Engine.Restore(null, "/mirror", FoldWay.Auto, CancellationToken.None);
        using JournalSession session = model.OpenSession();
        Assert.False(session.State.Restored);
    }

    [Fact]
    public void A_mirror_that_is_damaged_in_the_same_place_is_refused_and_nothing_changes()
    {
        Sync(count: 1, FoldWay.Auto);
        Copy("/mirror");
        SpoilShard(0);
        Spoil($"/mirror/{model.Open().Layout.Shards[0].FileName}", (int)model.Open().Layout[0].FileOffset);
        Assert.Equal(
            CheckpointError.ShardForeign,
            Assert.Throws<CheckpointException>(() => Engine.Restore(null, "/mirror", FoldWay.Auto, CancellationToken.None)).Error
        );
        Assert.Equal(["0000000001.delta"], disk.List(model.Paths.Journal));
    }

    [Fact]
    public void A_whole_model_takes_nothing_from_a_mirror_and_gets_no_version()
    {
        Sync(count: 1, FoldWay.Auto);
        Copy("/mirror");
        Engine.Restore(null, "/mirror", FoldWay.Auto, CancellationToken.None);
        Assert.Equal(["0000000001.delta"], disk.List(model.Paths.Journal));
    }

    [Fact]
    public void A_mirror_of_another_model_is_refused()
    {
        Sync(count: 1, FoldWay.Auto);
        SpoilShard(0);
        JournaledModel.Create(disk, "/other", shards: 1);
        Assert.Equal(
            CheckpointError.JournalForeign,
            Assert.Throws<CheckpointException>(() => Engine.Restore(null, "/other", FoldWay.Auto, CancellationToken.None)).Error
        );
    }

    private void Sync(int count, FoldWay? fold)
    {
        for (int i = 0; i < count; i++)
        {
            using JournalSession session = model.OpenSession();
            int next = model.Versions.Count;
            model.Sync(session, model.Change(next, next % 2 == 0 ? ["a", "d"] : []), fold);
        }
    }

    private byte[][] Newest()
    {
        using JournalSession session = model.OpenSession();
        return model.BaselineChunks(session);
    }

    private void Copy(string path)
    {
        disk.CreateFolder(path);
        new FolderCopy(disk, []).Run("/model", path, CancellationToken.None);
    }

    private void SpoilShard(int ordinal) =>
        Spoil(model.Open().Layout[ordinal].Shard.FilePath, (int)model.Open().Layout[ordinal].FileOffset);

    private void Spoil(string path, int fileOffset)
    {
        using IDiskFile file = disk.Open(path, writable: true);
        byte[] one = new byte[1];
        file.Read(one, fileOffset);
        file.Write([(byte)(one[0] ^ 0x55)], fileOffset);
    }
}
