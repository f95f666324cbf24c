using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>A full disk stops no fold by patch and no prune, and costs no version.</summary>
public sealed class FullDiskTests
{
    private readonly CrashingDisk disk = new();
    private readonly JournaledModel model;

    public FullDiskTests()
    {
        model = JournaledModel.Create(disk, "/model");
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), FoldWay.Replace);
        model.Sync(session, model.Change(2), FoldWay.Replace);
        model.Sync(session, model.Change(3), fold: null);
    }

    [Fact]
    public void Fold_by_patch_works_on_a_full_disk()
    {
        Fill();
        using JournalSession session = model.OpenSession();

        Assert.Null(session.Fold(FoldWay.Auto, CancellationToken.None).Warning);

        Assert.Equal(model.Versions[3], model.FileChunks());
        Assert.Equal(3, session.FilesVersion);
    }

    [Fact]
    public void Fold_by_replacing_leaves_the_version_for_later_on_a_full_disk()
    {
        Fill();
        using JournalSession session = model.OpenSession();

        FoldReport report = session.Fold(FoldWay.Replace, CancellationToken.None);

        Assert.StartsWith("version 3 kept, files at 2: ", report.Warning);
        Assert.Equal(model.Versions[2], model.FileChunks());
        Assert.DoesNotContain(disk.List("/model"), name => name.EndsWith(".folding", StringComparison.Ordinal));
        Assert.Equal(model.Versions[3], model.BaselineChunks(session));
    }

    [Fact]
    public void Prune_works_on_a_full_disk_and_makes_space()
    {
        Fill();
        using JournalSession session = model.OpenSession();

        Assert.Equal([1L, 2L], session.Prune(100));

        Assert.Equal(["0000000003.delta"], disk.List(model.Paths.Journal));
        Assert.True(disk.AvailableBytes("/model") > 0);
    }

    [Fact]
    public void A_sync_on_a_full_disk_fails_and_leaves_the_version_as_it_was()
    {
        Fill();
        using JournalSession session = model.OpenSession();

        CheckpointException e = Assert.Throws<CheckpointException>(() => model.Sync(session, model.Change(4), FoldWay.Auto));

        Assert.Equal((CheckpointError.DiskFull, 15), (e.Error, e.ExitCode));
        Assert.Equal(["0000000001.delta", "0000000002.delta", "0000000003.delta"], disk.List(model.Paths.Journal));
    }

    private void Fill() => disk.Capacity -= disk.AvailableBytes("/model");
}
