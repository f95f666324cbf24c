using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests;

/// <summary>
/// Directories that did not stay where they were: moved, copied, brought back from a backup whole or in part; and producers that did not
/// see it. What a file holds is what its digests say, never what its time, inode or name say.
/// </summary>
public sealed class MovedModelTests : IDisposable
{
    private readonly SyncScenario scenario = new();

    public MovedModelTests()
    {
        scenario.Live.Producer = new ProducerInfo("vllm", 100, 1, "boot", null, null);
        scenario.Live.Step(0.05, seed: 1);
        scenario.Sync();
    }

    private string Model => scenario.Model.Path;

    private string State => scenario.ModelFile(".apollo");

    public void Dispose() => scenario.Dispose();

    [Fact]
    public void A_moved_directory_goes_on_where_it_was()
    {
        string elsewhere = scenario.File("elsewhere");
        Directory.Move(Model, elsewhere);
        SyncReport report = scenario.Sync(scenario.Request with { ModelDirectory = elsewhere });
        Assert.Equal((false, 1, 1), (report.Changed, report.Version, report.FilesVersion));
        scenario.Live.Step(0.05, seed: 2);
        Assert.Equal(2, scenario.Sync(scenario.Request with { ModelDirectory = elsewhere }).Version);
        Directory.Move(elsewhere, Model);
        Assert.True(scenario.FilesAreLive());
        Assert.False(scenario.Sync().Changed);
    }

    [Fact]
    public void A_copied_directory_and_its_original_go_on_apart()
    {
        string copy = scenario.File("copy");
        Copy(Model, copy);
        scenario.Live.Step(0.05, seed: 2);
        Assert.Equal(2, scenario.Sync(scenario.Request with { ModelDirectory = copy }).Version);
        Assert.False(scenario.FilesAreLive());
        Assert.Equal(2, scenario.Sync().Version);
        Assert.True(scenario.FilesAreLive());
        Assert.False(scenario.Sync(scenario.Request with { ModelDirectory = copy }).Changed);
    }

    [Fact]
    public void A_whole_directory_from_a_backup_is_the_version_it_was()
    {
        string backup = scenario.File("backup");
        Copy(Model, backup);
        scenario.Live.Step(0.05, seed: 2);
        scenario.Sync();
        Directory.Delete(Model, recursive: true);
        Copy(backup, Model);
        Assert.Equal((true, 2), (scenario.Sync().Changed, scenario.Sync().Version));
        Assert.True(scenario.FilesAreLive());
    }

    [Fact]
    public void Older_files_under_a_newer_history_are_brought_up_to_it()
    {
        string backup = scenario.File("backup");
        Copy(Model, backup);
        scenario.Live.Step(0.05, seed: 2);
        scenario.Sync();
        foreach (string shard in Directory.GetFiles(backup, "*.safetensors"))
        {
            File.Copy(shard, Path.Combine(Model, Path.GetFileName(shard)), overwrite: true);
        }

        Assert.False(scenario.FilesAreLive());
        SyncReport report = scenario.Sync();
        Assert.Equal((false, 2, 2), (report.Changed, report.Version, report.FilesVersion));
        Assert.True(scenario.FilesAreLive());
    }

    [Fact]
    public void Newer_files_under_an_older_history_are_refused_until_they_are_adopted()
    {
        string backup = scenario.File("backup");
        Copy(State, backup);
        scenario.Live.Step(0.05, seed: 2);
        scenario.Sync();
        Directory.Delete(State, recursive: true);
        Copy(backup, State);

        CheckpointException e = scenario.Refused();

        Assert.Equal(CheckpointError.ShardForeign, e.Error);
        Assert.Contains("adopt", e.Next);
        Assert.True(scenario.FilesAreLive());
        Assert.Equal(2, new HistoryEngine(Model).Adopt(CancellationToken.None).Version);
        Assert.Equal((false, 2), (scenario.Sync().Changed, scenario.Sync().Version));
    }

    [Fact]
    public void A_directory_that_lost_its_history_begins_a_new_one_from_its_files()
    {
        Directory.Delete(State, recursive: true);
        Assert.Equal((false, 0), (scenario.Sync().Changed, scenario.Sync().Version));
        scenario.Live.Step(0.05, seed: 2);
        Assert.Equal(1, scenario.Sync().Version);
    }

    [Fact]
    public void After_a_restore_in_place_the_same_producer_is_refused_until_it_loaded_it_or_is_accepted()
    {
        byte[] trained = [.. scenario.Live["model.embed_tokens.weight"]];
        new HistoryEngine(Model).Restore(0, mirror: null, FoldWay.Auto, CancellationToken.None);

        Assert.Equal(CheckpointError.ProducerStale, scenario.Refused().Error);
        Assert.NotEqual(trained, scenario.OnDisk("model.embed_tokens.weight"));
        Assert.Equal(3, scenario.Sync(scenario.Request with { AcceptProducer = true }).Version);
        Assert.Equal(trained, scenario.OnDisk("model.embed_tokens.weight"));
        Assert.False(scenario.Sync().Changed);
    }

    [Fact]
    public void A_restarted_producer_that_loaded_the_newest_version_is_taken_and_remembered()
    {
        string root = ModelState.TryRead(Disk.Instance, Path.Combine(State, "state.json"))?.Root ?? "";
        scenario.Live.Producer = new ProducerInfo("vllm", 200, 9, "boot", root, null);
        Assert.Empty(scenario.Sync().Warnings);
        scenario.Live.Step(0.05, seed: 2);
        Assert.Equal(2, scenario.Sync().Version);
        // The root that it loaded is behind now, but it is the process that made the newest version.
        scenario.Live.Step(0.05, seed: 3);
        Assert.Equal(3, scenario.Sync().Version);
    }

    [Fact]
    public void A_new_producer_that_says_no_root_is_taken_and_named()
    {
        scenario.Live.Producer = ProducerInfo.Unknown;
        Assert.Equal(["the producer does not say which version it loaded: its origin is unknown"], scenario.Sync().Warnings);
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string folder in Directory.GetDirectories(from))
        {
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        }

        foreach (string file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}
