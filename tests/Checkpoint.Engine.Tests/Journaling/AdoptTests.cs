using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

public sealed class AdoptTests
{
    private const string Aside = "/model/.apollo/journal.before-0000000004";
    private readonly CrashingDisk disk = new();
    private readonly JournaledModel model;

    public AdoptTests() => model = JournaledModel.Create(disk, "/model");

    private HistoryEngine Engine => new("/model", options: model.Options, disk: disk);

    [Fact]
    public void Files_that_something_else_changed_become_the_first_version_of_a_new_history()
    {
        Sync(3, FoldWay.Auto);
        Digest128 before = Lineage();
        Spoil(0);
        byte[][] adopted = model.FileChunks();
        AdoptReport report = Engine.Adopt(CancellationToken.None);
        Assert.Equal((4, Aside), (report.Version, report.OldJournal));
        using JournalSession session = model.OpenSession();
        Assert.Equal((4, 4, true), (session.Newest, session.FilesVersion, session.Lineage != before));
        Assert.Equal(adopted, model.BaselineChunks(session));
        Assert.Empty(session.Journal.Versions);
    }

    [Fact]
    public void The_old_journal_is_moved_aside_whole_and_never_deleted()
    {
        Sync(3, FoldWay.Auto);
        string[] before = [.. disk.List(model.Paths.Journal)];
        Engine.Adopt(CancellationToken.None);
        Assert.Equal(before, disk.List(Aside));
        Assert.Empty(disk.List(model.Paths.Journal));
        using (model.OpenSession()) { }
        Assert.Equal(before, disk.List(Aside));
    }

    [Fact]
    public void Numbers_go_on_in_the_new_history()
    {
        Sync(3, FoldWay.Auto);
        Engine.Adopt(CancellationToken.None);
        using (JournalSession session = model.OpenSession())
        {
            model.Sync(session, model.Change(9), FoldWay.Auto);
            Assert.Equal((5, 4), (session.Newest, session.Journal.First?.Parent));
        }

        Assert.Equal(model.Versions[4], model.FileChunks());
        Assert.Equal(6, Engine.Adopt(CancellationToken.None).Version);
        Assert.Equal(["0000000005.delta"], disk.List("/model/.apollo/journal.before-0000000006"));
    }

    [Fact]
    public void Versions_that_the_files_never_held_are_named()
    {
        Sync(1, FoldWay.Auto);
        Sync(2, fold: null);
        AdoptReport report = Engine.Adopt(CancellationToken.None);
        Assert.Equal([2, 3], report.NotFolded);
        using JournalSession session = model.OpenSession();
        Assert.Equal(model.Versions[1], model.BaselineChunks(session));
    }

    [Fact]
    public void A_half_folded_model_is_recovered_before_it_is_adopted()
    {
        Sync(1, FoldWay.Auto);
        Sync(1, fold: null);
        using (JournalSession session = model.OpenSession())
        {
            // Stops after the first of two shards.
            disk.Fault = null;
            disk.AfterOperation = operation =>
                disk.Fault =
                    operation.Kind == DiskOperationKind.Flush && operation.Path.EndsWith("1-of-00002.safetensors", StringComparison.Ordinal)
                        ? new DiskFault(disk.Begun + 1, DiskFaultKind.IoError, IsPersistent: true)
                        : disk.Fault;
            Assert.Throws<CheckpointException>(() => session.Fold(FoldWay.Patch, CancellationToken.None));
            (disk.Fault, disk.AfterOperation) = (null, null);
        }

        AdoptReport report = Engine.Adopt(CancellationToken.None);
        Assert.Equal((null, true), (report.NotRecovered, report.Recovered.Count > 0));
        Assert.Equal(model.Versions[2], model.FileChunks());
    }

    [Fact]
    public void A_damaged_journal_is_moved_aside_too_and_the_reason_is_told()
    {
        Sync(3, FoldWay.Auto);
        disk.Delete(model.Paths.Delta(2));
        AdoptReport report = Engine.Adopt(CancellationToken.None);
        Assert.Contains("0000000003.delta", report.NotRecovered, StringComparison.Ordinal);
        Assert.Equal(["0000000001.delta", "0000000003.delta"], disk.List(Aside));
        Assert.Equal(4, report.Version);
    }

    [Fact]
    public void Files_with_other_tensors_are_adopted()
    {
        Sync(3, FoldWay.Auto);
        foreach (string name in disk.List("/model").Where(name => name != ".apollo"))
        {
            disk.Delete($"/model/{name}");
        }

        TinyModel.Write("/model", [new TinyTensor("other", ElementType.F16, 50)], disk: disk);
        Assert.Equal(4, Engine.Adopt(CancellationToken.None).Version);
        using JournalSession session = model.OpenSession();
        Assert.Equal(model.FileChunks(), model.BaselineChunks(session));
    }

    [Fact]
    public void A_model_without_history_gets_one()
    {
        AdoptReport report = Engine.Adopt(CancellationToken.None);
        Assert.Equal((0, null), (report.Version, report.OldJournal));
    }

    [Fact]
    public void An_adopt_that_a_crash_stopped_after_its_digests_is_finished_by_the_next_command()
    {
        Sync(3, FoldWay.Auto);
        Spoil(0);
        byte[][] adopted = model.FileChunks();
        CrashingDisk? image = null;
        disk.AfterOperation = operation =>
        {
            bool isNamed =
                operation.Kind == DiskOperationKind.FlushFolder
                && disk.Operations[^2].Path.EndsWith("digests.bin", StringComparison.Ordinal);
            image = isNamed && disk.List(model.Paths.Journal).Count == 3 ? CrashImages.Of(disk, new Random(1), 1).First().Disk : image;
        };
        Engine.Adopt(CancellationToken.None);
        Assert.NotNull(image);
        Assert.Equal(3, image.List(model.Paths.Journal).Count);
        JournaledModel after = new(image, "/model") { Options = model.Options };
        using JournalSession session = after.OpenSession();
        Assert.Equal(4, session.Newest);
        Assert.Contains(
            Aside,
            Assert.Single(session.Recovered, line => line.Contains("adopt", StringComparison.Ordinal)),
            StringComparison.Ordinal
        );
        Assert.Equal(adopted, after.BaselineChunks(session));
        Assert.Equal(3, image.List(Aside).Count);
    }

    private Digest128 Lineage()
    {
        using JournalSession session = model.OpenSession();
        return session.Lineage;
    }

    private void Sync(int count, FoldWay? fold)
    {
        for (int i = 0; i < count; i++)
        {
            using JournalSession session = model.OpenSession();
            model.Sync(session, model.Change(model.Versions.Count), fold);
        }
    }

    private void Spoil(int ordinal)
    {
        Chunk chunk = model.Open().Layout[ordinal];
        using IDiskFile file = disk.Open(chunk.Shard.FilePath, writable: true);
        file.Write([0x55, 0x66, 0x77], chunk.FileOffset);
        file.Flush();
    }
}
