using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace ApolloCheckpoint.AppHost.Tests;

/// <summary>The pipeline as it is, with the real orchestrator and the real dashboard.</summary>
[Trait("Ring", "aspire")]
public sealed class PipelineTests(PipelineFixture fixture) : IClassFixture<PipelineFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly RunningPipeline pipeline = fixture.Pipeline;

    private string Journal => Path.Combine(pipeline.Model, ".apollo", "journal");

    [Fact]
    public async Task One_trace_crosses_trigger_engine_and_the_shipping_of_the_delta()
    {
        await Eventually(() => Task.FromResult(Versions() >= 2));
        await Eventually(async () =>
        {
            var spans = await pipeline.SpansAsync();
            return spans
                .Where(span => span is { Service: "trigger", Name: "trigger.tick" })
                .Any(tick =>
                {
                    var trace = spans.Where(span => span.Trace == tick.Trace).ToList();
                    return new[] { "sync", "plan", "scan", "commit", "fold", "fold.shard" }.All(stage =>
                            trace.Exists(span => span.Service == "engine" && span.Name == stage)
                        ) && trace.Exists(span => span.Service == "offsite" && span.Name == "offsite.run");
                });
        });
        Assert.True(Versions() >= 2);
    }

    [Fact]
    public async Task Metrics_and_logs_of_every_service_arrive()
    {
        await Eventually(async () => await pipeline.TelemetryOfAsync("engine") is { Logs: true, Traces: true, Metrics: true });
        await Eventually(async () => (await pipeline.LogsAsync("engine")).Contains("run.done", StringComparison.Ordinal));
        await Eventually(async () => await pipeline.TelemetryOfAsync("trigger") is { Traces: true });
        Assert.Contains("200", await pipeline.LogsAsync("engine"));
    }

    [SkippableFact]
    public async Task Dashboard_shows_all_parts_healthy_and_sync_now_makes_a_version()
    {
        Skip.IfNot(Dashboard.IsPossible, "no chromium on this machine (Debian: apt-get install chromium)");
        await Eventually(() => Task.FromResult(Versions() >= 1));
        await using Dashboard dashboard = await Dashboard.OpenAsync(pipeline.Dashboard.BaseAddress!);
        foreach (string resource in new[] { "engine", "trigger", "offsite", "demo-producer" })
        {
            await dashboard.WaitUntilHealthyAsync(resource);
        }

        await dashboard.KeepPictureAsync("dashboard-resources");
        await Eventually(async () =>
        {
            // A press that meets a sync of the trigger joins it, so it may take another.
            await dashboard.PressAsync("engine", "Bring the live weights into the files now");
            await Task.Delay(TimeSpan.FromSeconds(3));
            return (await pipeline.LogsAsync("engine")).Contains("asked by dashboard", StringComparison.Ordinal);
        });
        await dashboard.KeepPictureAsync("dashboard-sync-now");
        await KeepTraceAsync(dashboard);
    }

    [Fact]
    public async Task Engine_that_crashed_is_started_again_and_goes_on()
    {
        await Eventually(() => Task.FromResult(Versions() >= 1 && pipeline.ProcessOf("serve") is not null));
        int first = pipeline.ProcessOf("serve") ?? 0;
        using (Process engine = Process.GetProcessById(first))
        {
            engine.Kill();
        }

        await Eventually(() => Task.FromResult(pipeline.Output.Contains("engine ended by itself", StringComparison.Ordinal)));
        await Eventually(() => Task.FromResult(pipeline.ProcessOf("serve") is { } next && next != first));
        int before = Versions();
        await Eventually(() => Task.FromResult(Versions() > before));
        Assert.NotEqual(first, pipeline.ProcessOf("serve"));
    }

    /// <summary>A trace of the trigger, for people.</summary>
    private async Task KeepTraceAsync(Dashboard dashboard)
    {
        var spans = await pipeline.SpansAsync();
        string? trace = spans
            .Where(span => span.Name == "trigger.tick")
            .Select(span => span.Trace)
            .FirstOrDefault(id => spans.Any(span => span.Trace == id && span.Service == "offsite"));
        if (trace is not null)
        {
            await dashboard.Page.GotoAsync(new Uri(pipeline.Dashboard.BaseAddress!, $"/traces/detail/{trace}").ToString());
            await dashboard.Page.GetByText("fold.shard").First.WaitForAsync();
            await dashboard.KeepPictureAsync("dashboard-trace");
        }
    }

    private int Versions() => Directory.Exists(Journal) ? Directory.GetFiles(Journal, "0*.delta").Length : 0;

    private async Task Eventually(Func<Task<bool>> condition)
    {
        long begin = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or JsonException or IOException)
            {
                // The dashboard is not there yet, or a process ended between two looks.
            }

            Assert.True(Stopwatch.GetElapsedTime(begin) < Patience, pipeline.Output);
            await Task.Delay(500);
        }
    }
}
