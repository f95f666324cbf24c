using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Rsync.Tests;

/// <summary>A whole copy with the real engine and the real rsync, to a folder of this machine.</summary>
public sealed class OffsiteJobTests : IDisposable
{
    private readonly SyncedModel model = new();

    public OffsiteJobTests() => Skip.IfNot(File.Exists("/usr/bin/rsync"), "rsync is not installed");

    [SkippableFact]
    public async Task Model_journal_and_digests_arrive_and_nothing_else_of_ours()
    {
        model.Step();
        model.Step();
        model.Write(".apollo/token", "secret");
        model.Write(".apollo/journal/.writing.delta", "half");
        model.Write("tokenizer/merges.txt", "a b");
        model.Write(".apollo/journal.before-0000000001/0000000001.delta", "another history");
        OffsiteReport report = await model.Ship();

        Assert.Equal(
            [
                ".apollo/SHA256SUMS",
                ".apollo/digests.bin",
                ".apollo/journal.before-0000000001/0000000001.delta",
                ".apollo/journal/0000000001.delta",
                ".apollo/journal/0000000002.delta",
                ".apollo/state.json",
                "config.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
                "model.safetensors.index.json",
                "tokenizer/merges.txt",
            ],
            SyncedModel.Files(model.Current)
        );
        Assert.Equal((model.Far, 2L, 2L, 10), (report.Target, report.Version!.Value, report.FilesVersion!.Value, report.Files));
        Assert.Equal([report.Snapshot], Directory.GetDirectories(Path.Combine(model.Far, "snapshots")).Select(Path.GetFileName));
        Assert.True(model.HoldsLive(model.Current));
    }

    [SkippableFact]
    public async Task Model_that_was_never_synced_is_shipped_and_left_without_a_folder_of_ours()
    {
        OffsiteReport report = await model.Ship();
        Assert.Null(report.Version);
        Assert.Equal(5, SyncedModel.Files(model.Current).Length);
        Assert.False(Directory.Exists(Path.Combine(model.Directory, ".apollo")));
    }

    [SkippableFact]
    public async Task Files_that_did_not_change_are_links_to_the_night_before()
    {
        model.Step();
        OffsiteReport first = await model.Ship();
        model.Step(foldEvery: 0);
        OffsiteReport second = await model.Ship(hoursLater: 24);

        const string Shard = "model-00001-of-00002.safetensors";
        FileEntry weights = SyncedModel.Stat(Path.Combine(model.Snapshot(first.Snapshot), Shard));
        Assert.Equal(weights, SyncedModel.Stat(Path.Combine(model.Current, Shard)));
        Assert.Equal(2, weights.Links);
        Assert.Contains(".apollo/journal/0000000002.delta", SyncedModel.Files(model.Current));
        Assert.DoesNotContain(".apollo/journal/0000000002.delta", SyncedModel.Files(model.Snapshot(first.Snapshot)));
        Assert.Equal((2L, 1L), (second.Version!.Value, second.FilesVersion!.Value));
    }

    [SkippableFact]
    public async Task Old_snapshots_are_removed_and_what_is_not_a_snapshot_stays()
    {
        model.Step();
        List<string> made = [];
        Directory.CreateDirectory(model.Snapshot("before the migration"));
        for (int night = 0; night < 4; night++)
        {
            made.Add((await model.Ship(model.Options with { Keep = 2 }, hoursLater: 24)).Snapshot);
        }

        Assert.Equal(
            [.. made[2..], "before the migration"],
            Directory.GetDirectories(Path.Combine(model.Far, "snapshots")).Select(Path.GetFileName).Order()
        );
    }

    [SkippableFact]
    public async Task Clock_that_went_back_does_not_remove_the_newest_copy()
    {
        model.Step();
        OffsiteReport first = await model.Ship(model.Options with { Keep = 1 }, hoursLater: 24);
        Microsoft.Extensions.Time.Testing.FakeTimeProvider earlier = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        OffsiteReport second = await new OffsiteJob(model.Options with { Keep = 1 }, Disk.Instance, earlier).RunAsync(default);
        Assert.True(model.HoldsLive(model.Current));
        Assert.NotEqual(first.Snapshot, second.Snapshot);
    }

    [SkippableTheory]
    [InlineData(FoldWay.Patch)]
    [InlineData(FoldWay.Replace)]
    public async Task Half_folded_model_is_given_back_recovered_and_taken_again(FoldWay way)
    {
        model.Step();
        model.Train();
        LeaveHalfFolded(way);
        OffsiteReport report = await model.Ship();
        Assert.NotEmpty(report.Did);
        Assert.Equal(2, report.Version);
        Assert.DoesNotContain(SyncedModel.Files(model.Current), name => name.EndsWith(".folding") || name.EndsWith(".redo"));
        Assert.True(model.HoldsLive(await model.RestoreFromFarSide()));
    }

    [SkippableFact]
    public async Task Files_are_folded_first_when_that_is_asked()
    {
        model.Step();
        model.Step(foldEvery: 0);
        Assert.Equal(1, (await model.Ship()).FilesVersion);
        OffsiteReport folded = await model.Ship(model.Options with { FoldFirst = true }, hoursLater: 1);
        Assert.Equal(2, folded.FilesVersion);
        Assert.Contains("folded: the files were at version 1, and are at 2", folded.Did);
    }

    [SkippableFact]
    public async Task Fold_at_work_is_waited_for_and_not_for_ever()
    {
        model.Step();
        using (IDisposable? fold = Disk.Instance.TryLock(Path.Combine(model.Directory, ".apollo", "shards.lock"), shared: false))
        {
            Assert.NotNull(fold);
            CheckpointException e = await model.Refused(model.Options with { LockWait = TimeSpan.Zero });
            Assert.Equal(CheckpointError.ShardsHeld, e.Error);
        }

        await model.Ship();
    }

    [SkippableFact]
    public async Task Sync_at_the_same_time_commits_and_its_delta_follows()
    {
        model.Step();
        // rsync itself runs a sync: exactly while the shards are held.
        OffsiteOptions options = model.Options with
        {
            RsyncProgram = RsyncThatFirst("touch began; while [ ! -e synced ]; do sleep 0.05; done"),
        };
        Task<OffsiteReport> shipping = model.Ship(options);
        while (!File.Exists(model.File("began")))
        {
            await Task.Delay(20);
        }

        SyncReport during = model.Step();
        File.WriteAllText(model.File("synced"), "");
        OffsiteReport report = await shipping;

        Assert.Equal((2, 1), (during.Version, during.FilesVersion));
        Assert.Equal(2, report.Version);
        string back = await model.RestoreFromFarSide();
        Assert.True(model.HoldsLive(back));
    }

    [SkippableFact]
    public async Task Two_copies_of_a_model_at_once_are_refused()
    {
        model.Step();
        using IDisposable? other = Disk.Instance.TryLock(Path.Combine(model.Directory, ".apollo", "offsite.lock"), shared: false);
        Assert.Equal(CheckpointError.Locked, (await model.Refused()).Error);
    }

    [SkippableFact]
    public async Task Shard_that_rotted_here_is_not_shipped()
    {
        model.Step();
        await model.Ship();
        string shard = Path.Combine(model.Directory, "model-00001-of-00002.safetensors");
        Rot(shard);
        CheckpointException e = await model.Refused();
        Assert.Equal(16, e.ExitCode);
        Assert.Contains("model-00001-of-00002.safetensors, tensor", e.Message);
        Assert.True(model.HoldsLive(model.Current));
    }

    [SkippableFact]
    public async Task File_that_rotted_there_is_found_and_sent_again()
    {
        model.Step();
        OffsiteReport first = await model.Ship();
        Rot(Path.Combine(model.Current, "model-00001-of-00002.safetensors"));
        OffsiteReport second = await model.Ship(hoursLater: 24);
        Assert.True(model.HoldsLive(model.Current));
        Assert.False(model.HoldsLive(model.Snapshot(first.Snapshot)));
        Assert.Contains("model-00001-of-00002.safetensors differed on this machine and was sent again", second.Did);
    }

    [SkippableFact]
    public async Task Delta_that_is_there_with_other_bytes_is_refused_and_never_overwritten()
    {
        model.Step();
        await model.Ship();
        string there = Path.Combine(model.Current, ".apollo/journal/0000000001.delta");
        File.AppendAllText(there, "x");
        byte[] before = await File.ReadAllBytesAsync(there);
        CheckpointException e = await model.Refused();
        Assert.Equal((CheckpointError.OffsiteForeign, 20), (e.Error, e.ExitCode));
        Assert.Contains("0000000001.delta with other bytes", e.Message);
        Assert.Equal(before, await File.ReadAllBytesAsync(there));
    }

    [SkippableFact]
    public async Task What_was_done_and_what_failed_stands_in_the_state_file()
    {
        model.Step();
        OffsiteReport report = await model.Ship();
        OffsiteState done = OffsiteState.TryRead(Disk.Instance, model.Directory)!;
        Assert.Equal((report.Snapshot, 1L, null), (done.Copy!.Snapshot, done.NewestVersion!.Value, done.Failure));
        await model.Refused(model.Options with { RsyncProgram = "/nonexistent/rsync" });
        OffsiteState failed = OffsiteState.TryRead(Disk.Instance, model.Directory)!;
        Assert.Equal(("copy", 20, report.Snapshot), (failed.Failure!.What, failed.Failure.ExitCode, failed.Copy!.Snapshot));
        Assert.Null(failed.Running);
    }

    [SkippableFact]
    public async Task List_of_sums_is_one_that_sha256sum_itself_accepts()
    {
        model.Step();
        model.Write("odd\nname with a \\ and 'quotes'", "x");
        await model.Ship();
        CliWrap.CommandResult check = await CliWrap
            .Cli.Wrap("sha256sum")
            .WithArguments(["--check", "--strict", "--quiet", ".apollo/SHA256SUMS"])
            .WithWorkingDirectory(model.Current)
            .ExecuteAsync();
        Assert.Equal(0, check.ExitCode);
    }

    [Fact]
    public async Task Missing_rsync_is_said_with_the_way_to_get_it()
    {
        CheckpointException e = await model.Refused(model.Options with { RsyncProgram = "/nonexistent/rsync" });
        Assert.Contains("not installed", e.Message);
        Assert.Contains("apt-get install rsync", e.Next);
    }

    public void Dispose() => model.Dispose();

    /// <summary>An rsync that first does something in the temp folder, then is the real one.</summary>
    private string RsyncThatFirst(string script)
    {
        string path = model.File("rsync-that-waits");
        string folder = FarScripts.Quote(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, $"#!/bin/sh\n(cd {folder} && {script})\nexec rsync \"$@\"\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>A process that dies at every later point in turn, until one leaves a redo or a replacement behind.</summary>
    private void LeaveHalfFolded(FoldWay way)
    {
        for (int operations = 8; operations < 200; operations++)
        {
            try
            {
                model.Sync(1, new DyingDisk(Disk.Instance, operations), way);
            }
            catch (CheckpointException)
            {
                bool isHalf =
                    Directory.GetFiles(Path.Combine(model.Directory, ".apollo", "redo"), "*.safetensors.redo").Length > 0
                    || Directory.GetFiles(model.Directory, "*.folding").Length > 0;
                if (isHalf)
                {
                    return;
                }
            }
        }

        Assert.Fail("no point was found at which the fold is half done");
    }

    /// <summary>Turns one bit near the end, and leaves the file looking as it did.</summary>
    private void Rot(string path)
    {
        string looks = model.File("looks");
        Touch("-r", path, looks);
        using (FileStream file = File.Open(path, FileMode.Open))
        {
            file.Position = file.Length - 9;
            int value = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(value ^ 1));
        }

        Touch("-r", looks, path);
    }

    private static void Touch(params string[] arguments)
    {
        using System.Diagnostics.Process touch = System.Diagnostics.Process.Start("touch", arguments);
        touch.WaitForExit();
    }
}
