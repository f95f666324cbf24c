using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>An engine behind HTTP (<c>serve</c>), as a trigger sees it.</summary>
/// <param name="engine">Client whose base address is the service.</param>
internal sealed class EngineClient(HttpClient engine) : IEngineCall
{
    /// <inheritdoc/>
    public async Task<(bool IsGood, string Said)> SyncAsync(DateTimeOffset? next, CancellationToken cancel)
    {
        try
        {
            string again = next is { } time ? "&next=" + Uri.EscapeDataString(time.ToString("O", CultureInfo.InvariantCulture)) : "";
            using HttpResponseMessage answer = await engine.PostAsync($"/sync?by=trigger{again}", null, cancel);
            if (!answer.IsSuccessStatusCode)
            {
                return (false, await RefusalAsync(answer, cancel));
            }

            string run = answer.Headers.Location?.OriginalString ?? throw new HttpRequestException("the answer names no run");
            return await FollowAsync(run, cancel);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return (false, $"the engine at {engine.BaseAddress} did not sync: {e.Message}");
        }
    }

    private async Task<(bool, string)> FollowAsync(string run, CancellationToken cancel)
    {
        while (true)
        {
            // Each answer is held back until the run ends or half a minute is over.
            JsonElement answer = await engine.GetFromJsonAsync<JsonElement>($"{run}?wait=30", cancel);
            switch (answer.GetProperty("state").GetString())
            {
                case "done":
                    return (true, Describe(answer.GetProperty("report")));
                case "failed":
                    JsonElement error = answer.GetProperty("error");
                    return (false, $"error {error.GetProperty("exitCode").GetInt32()}: {error.GetProperty("message").GetString()}");
                case not "running":
                    return (false, $"the engine's run ended as {answer.GetProperty("state")}");
            }
        }
    }

    private static string Describe(JsonElement report) =>
        $"version {report.GetProperty("version").GetInt64()}"
        + (
            report.GetProperty("changed").GetBoolean()
                ? $", {report.GetProperty("changedElements").GetInt64()} elements changed"
                : ", no changes"
        );

    /// <summary>What a refusal says: problem details, where it has them.</summary>
    private static async Task<string> RefusalAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        string text = await answer.Content.ReadAsStringAsync(cancel);
        try
        {
            using JsonDocument problem = JsonDocument.Parse(text);
            string? next = problem.RootElement.TryGetProperty("next", out JsonElement value) ? value.GetString() : null;
            return $"the engine refused: {problem.RootElement.GetProperty("detail").GetString()}" + (next is null ? "" : $"; next: {next}");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return $"the engine refused: {(int)answer.StatusCode} {answer.ReasonPhrase}";
        }
    }
}
