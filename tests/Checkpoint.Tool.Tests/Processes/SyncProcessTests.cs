using System.Text.Json;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Demo;

namespace ApolloCheckpoint.Tool.Tests.Processes;

/// <summary>What a script sees of a sync: exit code, streams, files.</summary>
public class SyncProcessTests
{
    [Fact]
    public void Unchanged_model_exits_with_zero_and_one_answer_on_standard_output()
    {
        using LiveModel model = new();
        string before = model.Digest;
        ToolRun run = model.Run("sync");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("No changes — model files are up to date (version 0, ", run.Out);
        Assert.Equal(before, model.Digest);
    }

    [Fact]
    public void Trained_model_comes_into_its_files()
    {
        using LiveModel model = new();
        model.Train();
        Assert.False(model.IsSynced);
        ToolRun run = model.Run("sync", "--json");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        using JsonDocument report = JsonDocument.Parse(run.Out);
        Assert.Equal(1, report.RootElement.GetProperty("version").GetInt64());
        Assert.Equal("step", report.RootElement.GetProperty("label").GetString());
        Assert.True(model.IsSynced);
    }

    [Fact]
    public void Dry_run_writes_nothing()
    {
        using LiveModel model = new();
        model.Train();
        string before = model.Digest;
        ToolRun run = model.Run("sync", "--dry-run");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("dry run · ", run.Out);
        Assert.Equal(before, model.Digest);
        Assert.False(Directory.Exists(Path.Combine(model.Path, ".apollo")));
    }

    [Fact]
    public void Classic_lines_are_on_the_streams_of_the_old_program()
    {
        using LiveModel model = new();
        model.Train();
        ToolRun run = model.Run("sync", "--output", "classic");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("Dumped 3 tensors, 0.0 GB\n", run.Out);
        string[] lines = run.Error.Split('\n');
        Assert.Equal(["Dumping live weights from GPU...", "  3 tensors dumped"], lines[..2]);
        Assert.StartsWith("Synced: ", lines[^2]);
    }

    [Fact]
    public void Versions_are_logged()
    {
        using LiveModel model = new();
        model.Train();
        model.Run("sync");
        model.Train();
        model.Run("sync", "--fold", "never");
        using JsonDocument log = JsonDocument.Parse(model.Run("log", "--json").Out);
        Assert.Equal(
            [(2L, false), (1L, true)],
            log.RootElement.GetProperty("versions")
                .EnumerateArray()
                .Select(row => (row.GetProperty("version").GetInt64(), row.GetProperty("inFiles").GetBoolean()))
        );
        Assert.False(model.IsSynced);
        Assert.Equal(0, model.Run("fold").ExitCode);
        Assert.True(model.IsSynced);
    }

    [Fact]
    public void Missing_handles_are_told_in_the_old_programs_sentence()
    {
        using LiveModel model = new();
        model.StopProducer();
        ToolRun run = ToolProcess.Run("sync", "--model-dir", model.Path, "--handles", "/nowhere/weights.pt");
        Assert.Equal((11, ""), (run.ExitCode, run.Out));
        Assert.StartsWith("error 11: Weight handles not found: /nowhere/weights.pt. Is vLLM running with the export hook?\n", run.Error);
        Assert.Contains($"{model.Path} is unchanged", run.Error);
    }

    [Fact]
    public void Directory_that_is_no_model_exits_with_ten()
    {
        using TempDirectory temp = new();
        Assert.Equal(10, ToolProcess.Run("sync", "--model-dir", temp.Path).ExitCode);
        Assert.Equal(10, ToolProcess.Run("log", "--model-dir", temp.File("missing")).ExitCode);
    }

    [Fact]
    public void Tensor_without_counterpart_exits_with_twelve_and_nothing_is_written()
    {
        using LiveModel model = new();
        using LiveModel other = new();
        TinyModel.Write(other.Beside("larger"), [.. TinyModel.Small, new("extra.weight", Engine.Model.ElementType.BF16, 8, 8)]);
        ToolRun run = ToolProcess.Run("sync", "--model-dir", other.Beside("larger"), "--handles", model.Handles);
        Assert.Equal((12, ""), (run.ExitCode, run.Out));
        Assert.Contains("extra.weight", run.Error);
        Assert.Contains("is unchanged", run.Error);
        Assert.False(Directory.Exists(Path.Combine(other.Beside("larger"), ".apollo")));
    }

    [Fact]
    public void Second_sync_at_once_exits_with_thirteen()
    {
        using LiveModel model = new();
        model.Run("sync");
        using IDisposable? held = Disk.Instance.TryLock(Path.Combine(model.Path, ".apollo", "lock"), shared: false);
        Assert.NotNull(held);
        ToolRun run = model.Run("sync");
        Assert.Equal((13, ""), (run.ExitCode, run.Out));
    }

    [Fact]
    public void Shard_changed_by_something_else_exits_with_ten()
    {
        using LiveModel model = new();
        model.Run("sync");
        string shard = Directory.EnumerateFiles(model.Path, "*.safetensors").Order().First();
        byte[] bytes = File.ReadAllBytes(shard);
        bytes[^1] ^= 1;
        File.WriteAllBytes(shard, bytes);
        ToolRun run = model.Run("sync");
        Assert.Equal((10, ""), (run.ExitCode, run.Out));
        Assert.Equal(bytes, File.ReadAllBytes(shard));
    }

    [Fact]
    public void Producer_restarted_from_newest_files_goes_on()
    {
        using LiveModel model = new();
        model.Train();
        model.Run("sync");
        model.RestartProducer();
        model.Train();
        ToolRun run = model.Run("sync");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.True(model.IsSynced);
    }

    [Fact]
    public void Bad_option_exits_with_two()
    {
        ToolRun run = ToolProcess.Run("sync", "--model-dir", "/m", "--source", "gpu");
        Assert.Equal((2, ""), (run.ExitCode, run.Out));
    }

    [SkippableFact]
    public void Read_only_directory_exits_with_fifteen_and_is_unchanged()
    {
        using LiveModel model = new();
        model.Train();
        string before = model.Digest;
        using ReadOnlyMount? mount = ReadOnlyMount.TryOver(model.Path);
        Skip.If(mount is null, "a read-only bind mount needs root");
        ToolRun run = model.Run("sync");
        Assert.Equal((15, ""), (run.ExitCode, run.Out));
        Assert.Equal(before, model.Digest);
    }

    [SkippableFact]
    public void Full_disk_exits_with_fifteen_and_is_unchanged()
    {
        using LiveModel model = new();
        using SmallDisk? disk = SmallDisk.TryMount(model.Beside("small"), kilobytes: 64);
        Skip.If(disk is null, "mounting a file system needs root");
        string path = Path.Combine(disk.Path, "model");
        TinyModel.Write(path, TinyModel.Small);
        File.WriteAllBytes(Path.Combine(disk.Path, "filler"), new byte[disk.Free]);
        string before = ModelWitness.Digest(path);
        model.Train();
        ToolRun run = ToolProcess.Run("sync", "--model-dir", path, "--handles", model.Handles);
        Assert.Equal((15, ""), (run.ExitCode, run.Out));
        Assert.Equal(before, ModelWitness.Digest(path));
    }
}
