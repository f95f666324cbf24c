using System.Diagnostics;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;
using Xunit;

namespace ApolloCheckpoint.Rsync.Tests;

/// <summary>The service with a clock of its own: nights, retries, deltas as they are committed, what is asked for in between.</summary>
public sealed class OffsiteServiceTests : IAsyncLifetime
{
    private readonly SyncedModel model = new();
    private readonly CancellationTokenSource stop = new();
    private readonly List<string> said = [];
    private Task running = Task.CompletedTask;

    public OffsiteServiceTests() => Skip.IfNot(File.Exists("/usr/bin/rsync"), "rsync is not installed");

    [SkippableFact]
    public async Task Copy_is_made_at_its_time_and_the_next_is_a_day_later()
    {
        model.Step();
        OffsiteService service = Start(model.Options);
        Assert.Equal(new DateTimeOffset(2026, 11, 25, 3, 30, 0, TimeSpan.Zero), service.Next);
        Assert.Equal(service.Next, OffsiteState.TryRead(Disk.Instance, model.Directory)!.Next);
        await Until(service.Next, () => service.Runs() is [{ State: "done" }]);
        Assert.Equal(new DateTimeOffset(2026, 11, 26, 3, 30, 0, TimeSpan.Zero), service.Next);
        Assert.True(model.HoldsLive(model.Current));
        Assert.Null(service.Problem());
        Assert.Contains("next off-site copy 2026-11-26 03:30", said);
    }

    [SkippableFact]
    public async Task Night_that_failed_is_tried_again_ever_later()
    {
        model.Step();
        OffsiteService service = Start(model.Options with { RsyncProgram = "/nonexistent/rsync" });
        DateTimeOffset night = service.Next;
        List<double> later = [];
        for (int i = 1; i <= 5; i++)
        {
            await Until(service.Next, () => service.Runs().Count == i && service.Runs()[0].State == "failed");
            await Wait(() => service.Next > model.Time.GetUtcNow());
            later.Add((service.Next - night).TotalMinutes);
        }

        Assert.Equal([5, 15, 35, 75, 24 * 60], later.Select(minutes => Math.Round(minutes)));
        Assert.Contains("not installed", service.Problem());
    }

    [SkippableFact]
    public async Task Deltas_follow_as_they_are_committed()
    {
        model.Step();
        OffsiteService service = Start(model.Options, deltas: TimeSpan.FromSeconds(15));
        service.Ask(OffsiteTask.Copy);
        await Wait(() => service.Runs() is [{ State: "done" }]);
        model.Step();
        await Until(model.Time.GetUtcNow().AddSeconds(15), () => service.Runs() is [{ What: OffsiteTask.Deltas, State: "done" }, _]);
        Assert.True(model.HoldsLive(await model.RestoreFromFarSide()));
    }

    [SkippableFact]
    public async Task Nightly_copy_links_to_the_trace_that_committed_the_version_it_ships()
    {
        List<Activity> spans = [];
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == EngineActivity.Source.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                lock (spans)
                {
                    spans.Add(span);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        model.Step();
        OffsiteService service = Start(model.Options);
        using (Activity commit = new Activity("commit").Start())
        {
            service.Ask(OffsiteTask.Deltas);
            await Wait(() => service.Runs() is [{ State: not "running" }]);
            commit.Stop();
            await Until(service.Next, () => service.Runs() is [{ What: OffsiteTask.Copy, State: "done" }, _]);
            lock (spans)
            {
                Assert.Contains(
                    spans,
                    span => span.OperationName == "offsite.run" && span.Links.Any(link => link.Context == commit.Context)
                );
            }
        }
    }

    [SkippableFact]
    public async Task Deltas_that_meet_another_run_follow_when_it_has_ended_and_are_no_failure()
    {
        model.Step();
        await model.Ship();
        model.Step();
        OffsiteService service;
        using (Disk.Instance.TryLock(Path.Combine(model.Directory, ".apollo", "offsite.lock"), shared: false))
        {
            service = Start(model.Options, deltas: TimeSpan.FromSeconds(15));
            await Until(model.Time.GetUtcNow().AddSeconds(15), () => service.Runs() is [{ State: "done" }]);
            Assert.Contains("the deltas follow", service.Runs()[0].Report);
            Assert.Null(service.Problem());
        }

        await Until(model.Time.GetUtcNow().AddSeconds(15), () => service.Runs() is [{ State: "done" }, _]);
        Assert.StartsWith("version 2 shipped", service.Runs()[0].Report);
    }

    [SkippableFact]
    public async Task Run_that_is_asked_for_twice_is_one()
    {
        model.Step();
        OffsiteService service = new(model.Job(), new TimeOnly(3, 30), null, Disk.Instance, model.Time);
        OffsiteRun first = service.Ask(OffsiteTask.Copy);
        Assert.Same(first, service.Ask(OffsiteTask.Copy));
        Assert.NotSame(first, service.Ask(OffsiteTask.Drill));
        running = service.RunAsync(stop.Token);
        await Wait(() => service.Runs().All(run => run.State == "done"));
        Assert.StartsWith("3 of 3 chunks", service.Runs()[0].Report);
    }

    [SkippableFact]
    public async Task Copy_that_is_too_old_is_a_problem()
    {
        model.Step();
        OffsiteService service = new(model.Job(), new TimeOnly(3, 30), null, Disk.Instance, model.Time);
        Assert.Null(service.Problem());
        model.Time.Advance(TimeSpan.FromHours(27));
        Assert.Equal("no copy was finished since 2026-11-24 03:30 UTC", service.Problem());
        await model.Ship();
        Assert.Null(service.Problem());
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await stop.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
        stop.Dispose();
        model.Dispose();
    }

    private OffsiteService Start(OffsiteOptions options, TimeSpan? deltas = null)
    {
        OffsiteService service = new(model.Job(options), new TimeOnly(3, 30), deltas, Disk.Instance, model.Time);
        service.Said += said.Add;
        running = service.RunAsync(stop.Token);
        return service;
    }

    /// <summary>Moves the clock in steps up to a time, and goes on a little where the service has not noticed yet.</summary>
    private async Task Until(DateTimeOffset time, Func<bool> isTrue)
    {
        if (time > model.Time.GetUtcNow())
        {
            model.Time.Advance(time - model.Time.GetUtcNow());
        }

        await Wait(isTrue);
    }

    private static async Task Wait(Func<bool> isTrue)
    {
        for (int i = 0; !isTrue(); i++)
        {
            Assert.True(i < 2000, "it did not come to that");
            await Task.Delay(20);
        }
    }
}
