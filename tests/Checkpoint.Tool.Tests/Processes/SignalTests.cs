using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Tool.Tests.Processes;

public class SignalTests
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task Sync_that_waits_for_the_trainer_is_cancelled_with_130(string signal)
    {
        using LiveModel model = new();
        model.Run("sync");
        model.Train();
        string before = model.Digest;
        // The trainer is inside its step for ever, so the sync waits for it.
        using IDisposable? step = Disk.Instance.TryLock(Path.Combine(model.Handles, "state.bin"), shared: false);
        Assert.NotNull(step);
        using ToolProcess sync = model.StartSync("--consistency", "lock", "--max-stall", "10m");
        string writing = Path.Combine(model.Path, ".apollo", "journal", ".writing.delta");
        while (!File.Exists(writing))
        {
            await Task.Delay(10);
        }

        sync.Signal(signal);
        ToolRun run = sync.WaitForEnd();
        Assert.Equal((130, ""), (run.ExitCode, run.Out));
        Assert.StartsWith("cancelled: ", run.Error);
        Assert.Contains($"{model.Path} is unchanged (version 0)", run.Error);
        Assert.Equal(before, model.Digest);
    }

    [Fact]
    public async Task Watch_that_waits_ends_with_zero()
    {
        using LiveModel model = new();
        using ToolProcess watch = ToolProcess.Start("watch", "--model-dir", model.Path, "--handles", model.Handles, "--every", "1h");
        while (!watch.Said.Contains("up to date", StringComparison.Ordinal))
        {
            await Task.Delay(10);
        }

        // Between the report and the wait for the next hour there is nothing to cancel.
        await Task.Delay(100);
        watch.Signal("INT");
        ToolRun run = watch.WaitForEnd();
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("No changes — model files are up to date", run.Out);
    }
}
