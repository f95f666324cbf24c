using ApolloCheckpoint.Engine;
using Microsoft.Extensions.Time.Testing;

namespace ApolloCheckpoint.Tool.Tests.Commands;

public class WatchCommandTests
{
    [Fact]
    public void Syncs_follow_each_other_and_a_failed_one_does_not_end_it()
    {
        List<DateTimeOffset> times = [];
        (int code, string output, string error) = Watch(
            (clock, calls) =>
            {
                times.Add(clock.GetUtcNow());
                return calls == 2
                    ? throw new CheckpointException(CheckpointError.HandlesNotFound, "Weight handles not found: /h.")
                    : Reports.Changed;
            },
            stopAfter: 3,
            "--every",
            "10m"
        );
        Assert.Equal(0, code);
        Assert.Equal([0, 10, 20], times.Select(time => (int)(time - times[0]).TotalMinutes));
        Assert.Equal(2, output.Split("version 143").Length - 1);
        Assert.Contains("error 11: Weight handles not found: /h.\n", error);
    }

    [Fact]
    public void Sync_that_is_cancelled_ends_it_as_cancelled()
    {
        (int code, _, _) = Watch((_, _) => throw new OperationCanceledException(), stopAfter: 1, "--every", "10m");
        Assert.Equal(130, code);
    }

    [Fact]
    public void Json_reports_are_one_line_each()
    {
        (_, string output, _) = Watch((_, _) => Reports.Changed, stopAfter: 2, "--every", "1s", "--json");
        Assert.Equal(
            2,
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(line => line.StartsWith('{') && line.EndsWith('}'))
        );
    }

    [Fact]
    public void Interval_and_cron_line_exclude_each_other() =>
        Assert.Equal(2, ToolRun.Run("watch", "--model-dir", "/m", "--every", "1m", "--cron", "* * * * *").ExitCode);

    [Fact]
    public void Text_that_is_no_cron_line_is_refused() =>
        Assert.Equal(2, ToolRun.Run("watch", "--model-dir", "/m", "--cron", "now and then").ExitCode);

    /// <summary>Runs watch with a clock that jumps whenever it waits, and presses Ctrl-C after so many syncs.</summary>
    private static (int Code, string Out, string Error) Watch(
        Func<TimeProvider, int, SyncReport> sync,
        int stopAfter,
        params string[] options
    )
    {
        using CancellationTokenSource stop = new();
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        FakeTimeProvider clock = new(new DateTimeOffset(2026, 3, 5, 12, 0, 0, TimeSpan.Zero)) { AutoAdvanceAmount = TimeSpan.Zero };
        int calls = 0;
        ToolConsole console = new()
        {
            Out = output,
            Error = error,
            Time = new JumpingClock(clock),
        };
        ToolContext context = new(
            console,
            (_, _, _) =>
            {
                calls++;
                if (calls == stopAfter)
                {
                    stop.Cancel();
                }

                return sync(clock, calls);
            },
            stop.Token
        );
        int code = CommandLine.Run(["watch", "--model-dir", "/m", .. options], context);
        return (code, output.ToString(), error.ToString());
    }
}
