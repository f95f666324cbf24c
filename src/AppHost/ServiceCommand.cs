using System.Net.Http.Json;
using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Service;

namespace ApolloCheckpoint.AppHost;

/// <summary>A command of the dashboard: one request to a service, and the run that it starts, to its end.</summary>
internal static class ServiceCommand
{
    /// <summary>Asks and follows.</summary>
    /// <param name="service">The service.</param>
    /// <param name="path">What to ask it; POST.</param>
    /// <param name="cancel">Stops following; the run goes on.</param>
    public static async Task<ExecuteCommandResult> RunAsync(ProjectResource service, string path, CancellationToken cancel)
    {
        try
        {
            string tokenFile = service.Annotations.OfType<ServiceAnnotation>().Single().TokenFile;
            using HttpClient client = ServiceClient.Create(service.GetEndpoint("http").Url, tokenFile);
            using HttpResponseMessage answer = await client.PostAsync(path, null, cancel);
            string text = await answer.Content.ReadAsStringAsync(cancel);
            if (!answer.IsSuccessStatusCode)
            {
                return Failure(text);
            }

            return answer.Headers.Location is { } run
                ? await FollowAsync(client, run.OriginalString, cancel)
                : CommandResults.Success("done", text, CommandResultFormat.Json);
        }
        catch (Exception e) when (e is HttpRequestException or CheckpointException or JsonException)
        {
            return CommandResults.Failure(e.Message);
        }
    }

    private static async Task<ExecuteCommandResult> FollowAsync(HttpClient client, string run, CancellationToken cancel)
    {
        while (true)
        {
            JsonElement answer = await client.GetFromJsonAsync<JsonElement>($"{run}?wait=30", cancel);
            switch (Text(answer, "state"))
            {
                case "running":
                    continue;
                case "done":
                    string sentence = Text(answer, "sentence") ?? Text(answer, "report") ?? "done";
                    return CommandResults.Success(sentence, answer.GetRawText(), CommandResultFormat.Json);
                default:
                    return Failure(answer.TryGetProperty("error", out JsonElement error) ? error.GetRawText() : answer.GetRawText());
            }
        }
    }

    /// <summary>Problem details of a request, or the error of a run: what happened, and what to do next.</summary>
    private static ExecuteCommandResult Failure(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement problem = document.RootElement;
            string what = Text(problem, "detail") ?? Text(problem, "message") ?? json;
            return CommandResults.Failure(Text(problem, "next") is { } next ? $"{what}; next: {next}" : what);
        }
        catch (JsonException)
        {
            return CommandResults.Failure(json.Length == 0 ? "the service gave no answer" : json);
        }
    }

    private static string? Text(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object
        && from.TryGetProperty(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
