using System.Net.Http.Json;
using System.Text.Json;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>Asks the engine's service to sync on a schedule, and says how it went. The service never runs two at once.</summary>
/// <param name="engine">Client whose base address is the service.</param>
/// <param name="schedule">When.</param>
/// <param name="console">Where it speaks.</param>
internal sealed class Trigger(HttpClient engine, Schedule schedule, ToolConsole console)
{
    /// <summary>Goes on until cancelled. A tick that fails is said, and the next one tries again.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        DateTimeOffset due = console.Time.GetUtcNow();
        for (bool atOnce = schedule.BeginsAtOnce; ; atOnce = false)
        {
            if (!atOnce)
            {
                if (schedule.Next(due, console.Time.GetUtcNow()) is not { } next)
                {
                    return;
                }

                due = next;
                TimeSpan wait = due - console.Time.GetUtcNow();
                await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, console.Time, cancel);
            }

            await TickAsync(cancel);
        }
    }

    private async Task TickAsync(CancellationToken cancel)
    {
        using System.Diagnostics.Activity? tick = Engine.EngineActivity.Source.StartActivity("trigger.tick");
        try
        {
            using HttpRequestMessage request = new(HttpMethod.Post, "/sync");
            using HttpResponseMessage accepted = await engine.SendAsync(request, cancel);
            accepted.EnsureSuccessStatusCode();
            string run = accepted.Headers.Location?.OriginalString ?? throw new HttpRequestException("the answer names no run");
            console.Error.WriteLine(await FollowAsync(run, cancel));
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            console.Error.WriteLine($"the engine at {engine.BaseAddress} did not sync: {e.Message}; next try {schedule.Text}");
        }
    }

    private async Task<string> FollowAsync(string run, CancellationToken cancel)
    {
        while (true)
        {
            // Each answer is held back until the run ends or half a minute is over.
            JsonElement answer = await engine.GetFromJsonAsync<JsonElement>($"{run}?wait=30", cancel);
            switch (answer.GetProperty("state").GetString())
            {
                case "done":
                    JsonElement report = answer.GetProperty("report");
                    return $"version {report.GetProperty("version").GetInt64()}"
                        + (
                            report.GetProperty("changed").GetBoolean()
                                ? $", {report.GetProperty("changedElements").GetInt64()} elements changed"
                                : ", no changes"
                        );
                case "failed":
                    JsonElement error = answer.GetProperty("error");
                    return $"error {error.GetProperty("exitCode").GetInt32()}: {error.GetProperty("message").GetString()}";
            }
        }
    }
}
