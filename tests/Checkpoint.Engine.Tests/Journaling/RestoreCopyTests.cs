using System.Text;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

public sealed class RestoreCopyTests
{
    private readonly CrashingDisk disk = new();
    private readonly JournaledModel model;

    public RestoreCopyTests()
    {
        model = JournaledModel.Create(disk, "/model");
        for (int i = 1; i <= 4; i++)
        {
            using JournalSession session = model.OpenSession();
            // The files hold version 2; 3 and 4 are in the journal only.
            model.Sync(session, model.Change(i, i == 2 ? ["a"] : []), i <= 2 ? FoldWay.Auto : null);
        }
    }

    private HistoryEngine Engine => new("/model", options: model.Options, disk: disk);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Any_version_is_copied_whole_and_the_model_stays_as_it_is(int wanted)
    {
        RestoreReport report = Engine.RestoreCopy(wanted, "/copy", null, CancellationToken.None);
        Assert.Equal((wanted, "/copy"), (report.Version, report.Output));
        Assert.Equal(model.Versions[wanted], new JournaledModel(disk, "/copy").FileChunks());
        Assert.Equal(model.Versions[2], model.FileChunks());
        Assert.Equal(Read("/model/config.json"), Read("/copy/config.json"));
        Assert.DoesNotContain(disk.List("/"), name => name.EndsWith(UnfinishedCopy.Suffix, StringComparison.Ordinal));
    }

    [Fact]
    public void Everything_beside_the_shards_is_copied_links_followed_our_own_files_left_out()
    {
        Put("/model/tokenizer.json", "tokens");
        disk.CreateFolder("/model/original");
        Put("/model/original/params.json", "params");
        Put("/blob", "shared");
        disk.MakeLink("/model/linked.txt", "/blob");
        disk.MakeLink("/model/dangling", "/none");
        Put("/model/x.folding", "no");
        RestoreReport report = Engine.RestoreCopy(null, "/copy", null, CancellationToken.None);
        Assert.Equal(
            ["config.json", "linked.txt", .. ShardNames(), "model.safetensors.index.json", "original", "tokenizer.json"],
            disk.List("/copy")
        );
        Assert.Equal(
            ("tokens", "params", "shared", FileEntryKind.File),
            (
                Read("/copy/tokenizer.json"),
                Read("/copy/original/params.json"),
                Read("/copy/linked.txt"),
                disk.Stat("/copy/linked.txt")?.Kind
            )
        );
        Assert.Contains("/model/dangling", Assert.Single(report.Skipped), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/model")]
    [InlineData("/model/copy")]
    [InlineData("/full")]
    [InlineData("/begun")]
    public void A_target_that_is_in_the_way_is_refused_before_anything_is_written(string output)
    {
        disk.CreateFolder("/full");
        Put("/full/file", "");
        disk.CreateFolder("/begun.restoring");
        Put("/begun.restoring/file", "");
        CheckpointException e = Assert.Throws<CheckpointException>(() => Engine.RestoreCopy(1, output, null, CancellationToken.None));
        Assert.Equal(CheckpointError.Usage, e.Error);
    }

    [Fact]
    public void An_empty_target_is_taken()
    {
        disk.CreateFolder("/copy");
        Engine.RestoreCopy(1, "/copy", null, CancellationToken.None);
        Assert.Equal(model.Versions[1], new JournaledModel(disk, "/copy").FileChunks());
    }

    [Fact]
    public void Syncs_go_on_while_a_copy_is_made_and_their_folds_wait()
    {
        string? warning = null;
        disk.AfterOperation = operation =>
        {
            if (operation.Path.StartsWith("/copy.restoring/model", StringComparison.Ordinal) && operation.Kind == DiskOperationKind.Flush)
            {
                disk.AfterOperation = null;
                using JournalSession session = model.OpenSession();
                warning = model.Sync(session, model.Change(9), FoldWay.Auto)?.Warning;
            }
        };
        Engine.RestoreCopy(1, "/copy", null, CancellationToken.None);
        Assert.Contains("a reader holds the shards still", warning, StringComparison.Ordinal);
        Assert.Equal(model.Versions[1], new JournaledModel(disk, "/copy").FileChunks());
        using JournalSession after = model.OpenSession();
        Assert.Equal(5, after.Newest);
    }

    [Fact]
    public void Shards_that_are_being_written_are_not_copied()
    {
        using IDisposable? held = disk.TryLock(model.Paths.ShardsLock, shared: false);
        CheckpointException e = Assert.Throws<CheckpointException>(() => Engine.RestoreCopy(1, "/copy", null, CancellationToken.None));
        Assert.Equal(CheckpointError.ShardsHeld, e.Error);
        Assert.Null(disk.Stat("/copy"));
    }

    [Fact]
    public void Damaged_chunks_come_from_a_mirror()
    {
        Engine.RestoreCopy(2, "/mirror", null, CancellationToken.None);
        string shard = model.Open().Layout[0].Shard.FilePath;
        using (IDiskFile file = disk.Open(shard, writable: true))
        {
            file.Write([0x55, 0x55, 0x55], model.Open().Layout[0].FileOffset);
        }

        Assert.Equal(
            CheckpointError.ShardForeign,
            Assert.Throws<CheckpointException>(() => Engine.RestoreCopy(4, "/copy", null, CancellationToken.None)).Error
        );
        RestoreReport report = Engine.RestoreCopy(4, "/copy", "/mirror", CancellationToken.None);
        Assert.Equal(1, report.FromMirror);
        Assert.Equal(model.Versions[4], new JournaledModel(disk, "/copy").FileChunks());
    }

    [Fact]
    public void What_a_killed_copy_left_is_cleared_by_the_next_one()
    {
        Put("/model/tokenizer.json", "tokens");
        disk.CreateFolder("/model/original");
        Put("/model/original/params.json", "params");
        disk.AfterOperation = operation =>
            disk.DiesAfter ??= operation.Path == "/copy.restoring/original/params.json" ? operation.Number : null;
        Assert.Throws<ProcessDiedException>(() => Engine.RestoreCopy(1, "/copy", null, CancellationToken.None));
        CrashingDisk next = disk.Restarted();
        Assert.Contains(UnfinishedCopy.Mark, next.List("/copy.restoring"));
        next.CreateFolder("/copy.restoring/stray");

        new HistoryEngine("/model", options: model.Options, disk: next).RestoreCopy(3, "/copy", null, CancellationToken.None);

        Assert.Equal(model.Versions[3], new JournaledModel(next, "/copy").FileChunks());
        Assert.Equal(
            ["config.json", .. ShardNames(next), "model.safetensors.index.json", "original", "tokenizer.json"],
            next.List("/copy")
        );
        Assert.Equal(["copy", "model"], next.List("/"));
    }

    [Fact]
    public void A_copy_that_another_process_is_writing_is_left_alone()
    {
        using UnfinishedCopy other = UnfinishedCopy.Begin(disk, "/copy");
        Put("/copy.restoring/half", "");
        CheckpointException e = Assert.Throws<CheckpointException>(() => Engine.RestoreCopy(1, "/copy", null, CancellationToken.None));
        Assert.Equal(CheckpointError.Locked, e.Error);
        Assert.NotNull(disk.Stat("/copy.restoring/half"));
    }

    [Fact]
    public void A_copy_that_fails_leaves_nothing_behind()
    {
        disk.AfterOperation = operation =>
            disk.Fault ??= operation.Path == "/copy.restoring/config.json" ? new DiskFault(disk.Begun + 1, DiskFaultKind.IoError) : null;
        Assert.Throws<CheckpointException>(() => Engine.RestoreCopy(1, "/copy", null, CancellationToken.None));
        Assert.Equal(["model"], disk.List("/"));
    }

    [Fact]
    public void A_full_disk_leaves_no_output()
    {
        disk.Capacity = disk.AvailableBytes("/") is long free ? (1L << 40) - free + 20_000 : 0;
        CheckpointException e = Assert.Throws<CheckpointException>(() => Engine.RestoreCopy(1, "/copy", null, CancellationToken.None));
        Assert.Equal(CheckpointError.DiskFull, e.Error);
        Assert.Null(disk.Stat("/copy"));
        Assert.Equal(model.Versions[2], model.FileChunks());
    }

    private string[] ShardNames(CrashingDisk? on = null) =>
        [.. new JournaledModel(on ?? disk, "/model").Open().Layout.Shards.Select(shard => shard.FileName)];

    private void Put(string path, string content)
    {
        using IDiskFile file = disk.Create(path);
        file.Write(Encoding.UTF8.GetBytes(content), 0);
    }

    private string Read(string path)
    {
        using IDiskFile file = disk.Open(path);
        byte[] bytes = new byte[file.Length];
        file.Read(bytes, 0);
        return Encoding.UTF8.GetString(bytes);
    }
}
