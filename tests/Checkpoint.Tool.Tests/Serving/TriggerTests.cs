using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Serving;
using Microsoft.Extensions.Time.Testing;

namespace ApolloCheckpoint.Tool.Tests.Serving;

/// <summary>The trigger with a clock that jumps: when it asks, what it says, when it is not healthy.</summary>
public sealed class TriggerTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 5, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider fake = new(Noon);
    private readonly JumpingClock clock;
    private readonly StringWriter said = new() { NewLine = "\n" };
    private readonly List<double> asked = [];
    private readonly CancellationTokenSource stop = new();

    public TriggerTests() => clock = new JumpingClock(fake);

    [Fact]
    public async Task It_asks_at_once_and_then_on_the_grid_however_long_a_sync_takes()
    {
        await Run("10m", calls => Takes(minutes: 3), times: 4);
        Assert.Equal([0, 10, 20, 30], asked);
    }

    [Fact]
    public async Task Cron_line_begins_at_its_first_time()
    {
        fake.Advance(TimeSpan.FromMinutes(1));
        await Run(Schedule.Cron("*/10 * * * *", TimeZoneInfo.Utc), _ => true, times: 3);
        Assert.Equal([10, 20, 30], asked);
    }

    [Fact]
    public async Task Times_that_passed_in_sleep_or_in_a_long_sync_are_made_up_for_once_and_the_grid_stays()
    {
        await Run("10m", calls => Takes(minutes: calls == 2 ? 37 : 0), times: 5);
        Assert.Equal([0, 10, 47, 50, 60], asked);
    }

    [Fact]
    public async Task Failed_sync_is_tried_again_ever_later_but_not_later_than_the_next_that_is_due()
    {
        await Run("3m", calls => calls == 1 || calls > 6, times: 8);
        Assert.Equal([0, 3, 3.25, 3.75, 4.75, 6, 9, 12], asked.Select(minutes => Math.Round(minutes, 2)));
    }

    [Fact]
    public async Task Retries_begin_anew_after_a_sync_that_went_well()
    {
        await Run("10m", calls => calls is not (1 or 3), times: 5);
        Assert.Equal([0, 0.25, 10, 10.25, 20], asked);
    }

    [Fact]
    public async Task Jitter_comes_after_the_due_time_and_does_not_add_up()
    {
        await Run(Schedule.Every(TimeSpan.FromMinutes(10)), _ => true, times: 50, TimeSpan.FromMinutes(2));
        Assert.All(asked.Select((minutes, i) => minutes - 10 * i), late => Assert.InRange(late, 0, 2));
        Assert.True(asked.Select((minutes, i) => minutes - 10 * i).Distinct().Count() > 10);
    }

    [Fact]
    public async Task Paused_trigger_asks_for_nothing_and_makes_up_once_when_it_goes_on()
    {
        Trigger? trigger = null;
        clock.Jumped = () =>
        {
            if (trigger!.IsPaused && fake.GetUtcNow() >= Noon.AddMinutes(45))
            {
                trigger.Resume();
            }
        };
        trigger = Make(
            Schedule.Every(TimeSpan.FromMinutes(10)),
            calls =>
            {
                if (calls == 2)
                {
                    trigger!.Pause();
                }

                return true;
            },
            times: 4,
            TimeSpan.Zero
        );
        await End(trigger);
        Assert.Equal([0, 10, 45, 50], asked);
        Assert.Contains("paused\n", said.ToString());
        Assert.Null(trigger.Problem());
    }

    [Fact]
    public async Task It_is_unhealthy_when_the_newest_version_is_older_than_three_periods()
    {
        List<string?> problems = [];
        Trigger? trigger = null;
        trigger = Make(
            Schedule.Every(TimeSpan.FromMinutes(1)),
            calls =>
            {
                problems.Add(trigger!.Problem());
                return calls is 1 or 20;
            },
            times: 21,
            TimeSpan.Zero
        );
        await End(trigger);
        int first = problems.FindIndex(problem => problem is not null);
        Assert.InRange(asked[first], 3, 4.5);
        Assert.Contains("no sync ended well since 2026-03-05 12:00:00", problems[first]);
        Assert.All(problems[first..20], Assert.NotNull);
        Assert.Null(problems[20]);
    }

    [Fact]
    public async Task It_says_what_happened_and_when_the_next_one_is()
    {
        await Run("10m", calls => calls != 2, times: 3);
        Assert.Equal(
            """
            sync 1
            next sync 2026-03-05 12:10:00
            sync 2
            next sync 2026-03-05 12:10:15
            sync 3
            next sync 2026-03-05 12:20:00

            """,
            said.ToString()
        );
    }

    private bool Takes(double minutes)
    {
        fake.Advance(TimeSpan.FromMinutes(minutes));
        return true;
    }

    private Task Run(string every, Func<int, bool> sync, int times)
    {
        Assert.True(Tool.Commands.DurationText.TryParse(every, out TimeSpan period));
        return Run(Schedule.Every(period), sync, times);
    }

    private Task Run(Schedule schedule, Func<int, bool> sync, int times, TimeSpan jitter = default) =>
        End(Make(schedule, sync, times, jitter));

    private Trigger Make(Schedule schedule, Func<int, bool> sync, int times, TimeSpan jitter)
    {
        ToolConsole console = new()
        {
            Out = TextWriter.Null,
            Error = said,
            Time = clock,
        };
        return new Trigger(new Engine(this, sync, times), schedule, jitter, console);
    }

    private async Task End(Trigger trigger) => await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trigger.RunAsync(stop.Token));

    /// <summary>An engine that notes when it was asked, does what the test says, and ends the test after so many times.</summary>
    private sealed class Engine(TriggerTests test, Func<int, bool> sync, int times) : IEngineCall
    {
        public Task<(bool IsGood, string Said)> SyncAsync(DateTimeOffset? next, CancellationToken cancel)
        {
            test.asked.Add((test.fake.GetUtcNow() - Noon).TotalMinutes);
            bool isGood = sync(test.asked.Count);
            if (test.asked.Count == times)
            {
                test.stop.Cancel();
            }

            return Task.FromResult((isGood, $"sync {test.asked.Count}"));
        }
    }
}
