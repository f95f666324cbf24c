using System.Globalization;
using System.Text.Json;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>What the service answers. Fields may be added, never renamed; times are UTC.</summary>
internal static class ServiceJson
{
    /// <summary>A run: number, state, times, and its report or its error.</summary>
    public static string Run(RunRecord run) => Text(json => Run(json, run));

    /// <summary>The state of the service: model, newest run, the run under way.</summary>
    public static string Status(string modelDirectory, SyncRuns runs) =>
        Text(json =>
        {
            json.WriteStartObject();
            json.WriteString("model", modelDirectory);
            json.WritePropertyName("newest");
            if (runs.Newest is { } newest)
            {
                Run(json, newest);
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteEndObject();
        });

    private static void Run(Utf8JsonWriter json, RunRecord run)
    {
        json.WriteStartObject();
        json.WriteNumber("id", run.Id);
        json.WriteString("state", run.State);
        json.WriteString("started", run.Started.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        if (run.Report is { } report)
        {
            json.WritePropertyName("report");
            SyncReportJson.Body(json, report);
        }

        if (run.Failure is { } failure)
        {
            json.WriteStartObject("error");
            json.WriteNumber("exitCode", failure.ExitCode);
            json.WriteString("code", failure.Error.ToString());
            json.WriteString("message", failure.Message);
            JsonText.Optional(json, "model", failure.ModelState);
            JsonText.Optional(json, "next", failure.Next);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static string Text(Action<Utf8JsonWriter> body)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            body(json);
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }
}
