using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests;

public sealed class SyncEngineTests : IDisposable
{
    private readonly SyncScenario scenario = new();

    [Fact]
    public void Unchanged_model_is_compared_whole_and_left()
    {
        string[] before = [.. Directory.GetFiles(scenario.Model.Path).Select(file => Convert.ToHexString(File.ReadAllBytes(file)))];
        SyncReport report = scenario.Sync();
        Assert.False(report.Changed);
        Assert.Equal((0, 0), (report.Version, report.FilesVersion));
        Assert.Equal(report.ModelBytes, report.ComparedBytes);
        Assert.Equal(before, Directory.GetFiles(scenario.Model.Path).Select(file => Convert.ToHexString(File.ReadAllBytes(file))));
    }

    [Theory]
    [InlineData(FoldWay.Patch)]
    [InlineData(FoldWay.Replace)]
    [InlineData(FoldWay.Auto)]
    public void Changed_elements_reach_the_files(FoldWay way)
    {
        long changed = scenario.Live.Step(0.05, seed: 7);
        SyncReport report = scenario.Sync(scenario.Request with { FoldWay = way });
        Assert.True(report.Changed);
        Assert.Equal((1, 1), (report.Version, report.FilesVersion));
        Assert.Equal(changed, report.ChangedElements);
        Assert.True(scenario.FilesAreLive());
        Assert.False(scenario.Sync().Changed);
    }

    [Fact]
    public void Many_steps_one_after_another_are_versions_one_after_another()
    {
        for (int step = 1; step <= 5; step++)
        {
            scenario.Live.Step(0.02, seed: step);
            Assert.Equal(step, scenario.Sync().Version);
            Assert.True(scenario.FilesAreLive());
        }
    }

    [Fact]
    public void Files_wait_for_the_fold_that_comes_every_third_version()
    {
        SyncRequest lazy = scenario.Request with { FoldEvery = 3 };
        byte[] first = scenario.OnDisk("model.embed_tokens.weight");
        for (int step = 1; step <= 2; step++)
        {
            scenario.Live.Step(0.02, seed: step);
            SyncReport report = scenario.Sync(lazy);
            Assert.Equal((step, 0), (report.Version, report.FilesVersion));
        }

        Assert.Equal(first, scenario.OnDisk("model.embed_tokens.weight"));
        Assert.False(scenario.Sync(lazy).Changed);
        scenario.Live.Step(0.02, seed: 3);
        Assert.Equal((3, 3), (scenario.Sync(lazy).Version, scenario.Sync(lazy).FilesVersion));
        Assert.True(scenario.FilesAreLive());
    }

    [Fact]
    public void Versions_that_are_not_folded_are_the_same_with_the_newest_kept_ready()
    {
        SyncRequest ready = scenario.Request with { FoldEvery = 4, Baseline = scenario.File("ready") };
        for (int step = 1; step <= 5; step++)
        {
            long changed = scenario.Live.Step(0.02, seed: step);
            SyncReport report = scenario.Sync(ready);
            Assert.Equal((step, changed), (report.Version, report.ChangedElements));
            Assert.Equal(step == 4 ? 0 : 1, Directory.GetFiles(scenario.File("ready")).Length);
            Assert.False(scenario.Sync(ready with { DryRun = true }).Changed);
            Assert.False(scenario.Sync(scenario.Request with { FoldEvery = 0 }).Changed);
        }

        Assert.False(scenario.FilesAreLive());
        Assert.Equal(5, scenario.Sync().FilesVersion);
        Assert.True(scenario.FilesAreLive());
    }

    [Fact]
    public void Report_says_when_to_fold()
    {
        SyncRequest never = scenario.Request with { FoldEvery = 0 };
        for (int step = 1; step <= 13; step++)
        {
            scenario.Live.Step(0.02, seed: step);
            SyncReport report = scenario.Sync(never);
            Assert.Equal(step > 12 ? 1 : 0, report.Warnings.Count(warning => warning.Contains("13 versions wait for a fold")));
        }

        Assert.DoesNotContain(scenario.Sync().Warnings, warning => warning.Contains("wait for a fold"));
        Assert.True(scenario.FilesAreLive());
    }

    [Fact]
    public void Dry_run_counts_and_writes_nothing()
    {
        long changed = scenario.Live.Step(0.05, seed: 7);
        SyncReport report = scenario.Sync(scenario.Request with { DryRun = true });
        Assert.Equal((true, changed, 0), (report.Changed, report.ChangedElements, report.Version));
        Assert.False(Directory.Exists(scenario.ModelFile(".apollo")));
        Assert.False(scenario.FilesAreLive());
    }

    [Fact]
    public void Missing_live_tensor_is_refused_by_name_and_nothing_is_written()
    {
        scenario.Live.Step(0.05, seed: 7);
        scenario.Live.Remove("model.norm.weight");
        CheckpointException e = scenario.Refused();
        Assert.Equal(CheckpointError.PlanMismatch, e.Error);
        Assert.Contains("model.norm.weight", e.Details[0].Text);
        Assert.Equal($"{scenario.Model.Path} is unchanged", e.ModelState);
        Assert.False(Directory.Exists(scenario.ModelFile(".apollo")));
    }

    [Fact]
    public void Partial_sync_takes_the_rest_and_says_what_was_left_out()
    {
        scenario.Live.Remove("model.norm.weight");
        scenario.Live.Step(0.05, seed: 7);
        SyncReport report = scenario.Sync(scenario.Request with { AllowPartial = true });
        Assert.Equal(1, report.Version);
        Assert.Contains(report.Warnings, warning => warning.Contains("model.norm.weight"));
        Assert.Equal(scenario.Live["model.embed_tokens.weight"], scenario.OnDisk("model.embed_tokens.weight"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Source_that_fails_midway_leaves_the_model_as_it_was(int read)
    {
        scenario.Live.Step(0.05, seed: 7);
        scenario.Live.FailAtRead(read);
        CheckpointException e = scenario.Refused();
        Assert.Equal(CheckpointError.SourceUnavailable, e.Error);
        Assert.Contains("is unchanged (version 0)", e.ModelState);
        Assert.Empty(Directory.GetFiles(scenario.ModelFile(".apollo/journal")));
        Assert.Equal(1, scenario.Sync().Version);
    }

    [Fact]
    public void Tensor_that_moves_between_the_passes_is_taken_from_the_last_and_named()
    {
        scenario.Live.Step(0.05, seed: 7);
        for (int read = 1; read <= 40; read++)
        {
            int seed = read;
            scenario.Live.AtRead(read, () => scenario.Live["model.embed_tokens.weight"][2 * seed] ^= 1);
        }

        SyncReport report = scenario.Sync(scenario.Request with { Workers = 1 });
        Assert.Equal(ConsistencyKind.Mixed, report.Label.Kind);
        Assert.Equal(["model.embed_tokens.weight"], report.Label.MixedTensors);
        Assert.Equal(1, report.Version);
    }

    [Fact]
    public void Trainer_that_never_holds_still_is_refused_when_strict()
    {
        for (int read = 1; read <= 40; read++)
        {
            int seed = read;
            scenario.Live.AtRead(read, () => scenario.Live["model.embed_tokens.weight"][2 * seed] ^= 1);
        }

        CheckpointException e = scenario.Refused(scenario.Request with { Consistency = ConsistencyMode.Strict, Workers = 1 });
        Assert.Equal(17, e.ExitCode);
        Assert.Contains("unchanged (version 0)", e.ModelState);
    }

    [Fact]
    public void Change_between_the_first_and_the_second_pass_alone_is_stable_and_whole()
    {
        scenario.Live.Step(0.05, seed: 7);
        // Three tensors, one chunk each: the fourth read begins the second pass.
        scenario.Live.AtRead(4, () => scenario.Live.Step(0.05, seed: 8));
        SyncReport report = scenario.Sync(scenario.Request with { Workers = 1 });
        Assert.Equal("stable", report.Label.ToString());
        Assert.True(scenario.FilesAreLive());
    }

    [Fact]
    public void Two_at_once_are_one_too_many()
    {
        scenario.Sync();
        using IDisposable? held = Disk.Instance.TryLock(scenario.ModelFile(".apollo/lock"), shared: false);
        Assert.NotNull(held);
        CheckpointException e = scenario.Refused();
        Assert.Equal(13, e.ExitCode);
    }

    [Fact]
    public void Bytes_that_something_else_wrote_are_refused_until_repaired()
    {
        scenario.Live.Step(0.05, seed: 7);
        scenario.Sync();
        string shard = Directory.GetFiles(scenario.Model.Path, "*.safetensors")[0];
        byte[] bytes = File.ReadAllBytes(shard);
        bytes[^5] ^= 0x40;
        File.WriteAllBytes(shard, bytes);

        CheckpointException e = scenario.Refused();
        Assert.Equal(CheckpointError.ShardForeign, e.Error);
        Assert.Contains("--repair", e.Next);

        SyncReport report = scenario.Sync(scenario.Request with { Repair = true });
        Assert.True(report.Changed);
        Assert.True(scenario.FilesAreLive());
        Assert.False(scenario.Sync().Changed);
    }

    [Fact]
    public void New_producer_that_loaded_older_files_is_refused_until_accepted()
    {
        scenario.Live.Producer = new ProducerInfo("vllm", 100, 1, "boot", null, null);
        scenario.Live.Step(0.05, seed: 7);
        scenario.Sync();
        scenario.Live.Producer = new ProducerInfo("vllm", 200, 2, "boot", new string('0', 32), null);

        CheckpointException e = scenario.Refused();
        Assert.Equal(CheckpointError.ProducerStale, e.Error);
        Assert.Contains("--accept-producer", e.Next);
        Assert.False(scenario.Sync(scenario.Request with { AcceptProducer = true }).Changed);
        Assert.False(scenario.Sync().Changed);
    }

    [Fact]
    public void Linked_shard_is_refused_unless_a_private_file_may_take_its_place()
    {
        string shard = Directory.GetFiles(scenario.Model.Path, "*.safetensors")[0];
        string blob = scenario.File("blob");
        File.Move(shard, blob);
        File.CreateSymbolicLink(shard, blob);
        byte[] before = File.ReadAllBytes(blob);
        scenario.Live.Step(0.05, seed: 7);

        CheckpointException e = scenario.Refused();
        Assert.Equal(CheckpointError.ShardLinked, e.Error);
        Assert.Equal(10, e.ExitCode);
        scenario.Sync(scenario.Request with { ReplaceLinks = true });
        Assert.True(scenario.FilesAreLive());
        Assert.Null(new FileInfo(shard).LinkTarget);
        Assert.Equal(before, File.ReadAllBytes(blob));
    }

    [Fact]
    public void Cancelled_before_the_commit_the_model_is_as_it_was()
    {
        scenario.Live.Step(0.05, seed: 7);
        using CancellationTokenSource cancel = new();
        scenario.Live.AtRead(2, cancel.Cancel);
        CheckpointException e = scenario.Refused(scenario.Request with { Workers = 1 }, cancel.Token);
        Assert.Equal((130, "cancelled before anything was committed"), (e.ExitCode, e.Message));
        Assert.False(scenario.FilesAreLive());
        Assert.Equal(1, scenario.Sync().Version);
    }

    [Fact]
    public void Shards_held_by_a_reader_keep_the_version_and_wait_for_the_fold()
    {
        scenario.Sync();
        scenario.Live.Step(0.05, seed: 7);
        using (Disk.Instance.TryLock(scenario.ModelFile(".apollo/shards.lock"), shared: true))
        {
            SyncReport held = scenario.Sync();
            Assert.Equal((1, 0), (held.Version, held.FilesVersion));
            Assert.Equal(["version 1 kept, files at 0: a reader holds the shards still"], held.Warnings);
        }

        SyncReport later = scenario.Sync();
        Assert.Equal((false, 1, 1), (later.Changed, later.Version, later.FilesVersion));
        Assert.True(scenario.FilesAreLive());
    }

    [Fact]
    public void Single_on_disk_keeps_its_bits_where_the_live_bf16_did_not_move()
    {
        using SyncScenario cast = new([new TinyTensor("norm.weight", ElementType.F32, 256)], shards: 1);
        byte[] onDisk = cast.Model.BytesOf("norm.weight");
        byte[] bf16 = new byte[512];
        for (int i = 0; i < 256; i++)
        {
            uint bits = BitConverter.ToUInt32(onDisk, 4 * i);
            uint rounded = bits + 0x7fff + ((bits >> 16) & 1);
            BitConverter.TryWriteBytes(bf16.AsSpan(2 * i), (ushort)(rounded >> 16));
        }

        bf16[20] ^= 1;
        cast.Live = new FakeWeightSource();
        cast.Live.Add(new LiveTensor("norm.weight", ElementType.BF16, [256]), bf16);
        SyncReport report = cast.Sync();
        Assert.Equal(1, report.ChangedElements);
        byte[] after = cast.OnDisk("norm.weight");
        Assert.Equal(onDisk[..40], after[..40]);
        Assert.Equal([0, 0, bf16[20], bf16[21]], after[40..44]);
        Assert.Equal(onDisk[44..], after[44..]);
    }

    public void Dispose() => scenario.Dispose();
}
