using System.Text.Json;
using ApolloCheckpoint.Tool.Demo;

namespace ApolloCheckpoint.Tool.Tests.Processes;

/// <summary>Restore, prune, adopt and verify as a script sees them.</summary>
public class HistoryProcessTests
{
    [Fact]
    public void Older_version_is_restored_to_a_folder()
    {
        using LiveModel model = new();
        string original = model.Digest;
        Sync(model);
        string newest = model.Digest;
        ToolRun run = model.Run("restore", "--to", "0", "--output", model.Beside("old"));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal((original, newest), (ModelWitness.Digest(model.Beside("old")), model.Digest));
    }

    [Fact]
    public void Restore_in_place_is_a_new_version_and_refuses_the_old_producer()
    {
        using LiveModel model = new();
        string original = model.Digest;
        Sync(model);
        ToolRun run = model.Run("restore", "--to", "0");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("Version 2 has the bytes of version 0", run.Out);
        Assert.Equal(original, model.Digest);
        Assert.Equal(11, model.Run("sync").ExitCode);
        model.RestartProducer();
        Assert.Equal(0, model.Run("sync").ExitCode);
    }

    [Fact]
    public void Version_that_is_not_there_exits_with_fourteen()
    {
        using LiveModel model = new();
        Sync(model);
        Assert.Equal(14, model.Run("restore", "--to", "7", "--output", model.Beside("old")).ExitCode);
    }

    [Fact]
    public void Prune_keeps_the_newest_and_says_what_went()
    {
        using LiveModel model = new();
        Sync(model);
        Sync(model);
        Sync(model);
        ToolRun run = model.Run("prune", "--keep-last", "1", "--json");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        using JsonDocument report = JsonDocument.Parse(run.Out);
        Assert.Equal([1L, 2L], report.RootElement.GetProperty("gone").EnumerateArray().Select(version => version.GetInt64()));
        Assert.Equal(0, model.Run("verify").ExitCode);
    }

    [Fact]
    public void Changed_byte_is_found_by_verify_and_taken_by_adopt()
    {
        using LiveModel model = new();
        Sync(model);
        Assert.Equal(0, model.Run("verify").ExitCode);
        string shard = Directory.EnumerateFiles(model.Path, "*.safetensors").Order().First();
        byte[] bytes = File.ReadAllBytes(shard);
        bytes[^1] ^= 1;
        File.WriteAllBytes(shard, bytes);
        ToolRun damaged = model.Run("verify");
        Assert.Equal(16, damaged.ExitCode);
        Assert.Contains(Path.GetFileName(shard), damaged.Error);
        Assert.Equal(0, model.Run("adopt").ExitCode);
        Assert.Equal(0, model.Run("verify").ExitCode);
    }

    [Fact]
    public void Producer_that_is_ahead_is_told_by_verify_live()
    {
        using LiveModel model = new();
        Sync(model);
        Assert.Equal(0, model.Run("verify", "--handles", model.Handles, "--live").ExitCode);
        model.Train();
        Assert.Equal(16, model.Run("verify", "--handles", model.Handles, "--live").ExitCode);
    }

    private static void Sync(LiveModel model)
    {
        model.Train();
        Assert.Equal(0, model.Run("sync").ExitCode);
    }
}
