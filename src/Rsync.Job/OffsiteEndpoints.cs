using System.Globalization;
using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Service;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// The off-site service behind HTTP: <c>POST /run?what=copy|deltas|drill</c> (202, and a run to follow; asked for twice, it is one run),
/// <c>GET /runs/{id}?wait=SECONDS</c>, <c>/status</c>, and what every service has (<see cref="ServiceHost"/>).
/// </summary>
internal static class OffsiteEndpoints
{
    /// <summary>Longest time that an answer is held back for a run to end, seconds.</summary>
    private const int LongestWait = 60;

    /// <summary>Serves until cancelled, the service at work meanwhile; ends when either does.</summary>
    internal static async Task RunAsync(OffsiteService service, ServiceOptions options, CancellationToken cancel)
    {
        WebApplicationBuilder builder = ServiceHost.CreateBuilder(options);
        builder
            .Services.AddHealthChecks()
            .AddCheck(
                "offsite",
                () => service.Problem() is { } problem ? HealthCheckResult.Unhealthy(problem) : HealthCheckResult.Healthy()
            );
        await using WebApplication app = ServiceHost.Build(builder, options);
        Map(app, service);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task[] both = [ServiceHost.RunAsync(app, options, either.Token), service.RunAsync(either.Token)];
        Task first = await Task.WhenAny(both);
        await either.CancelAsync();
        await Task.WhenAll(both).ContinueWith(_ => { }, TaskScheduler.Default);
        await first;
    }

    private static void Map(WebApplication app, OffsiteService service)
    {
        app.MapPost(
            "/run",
            async (HttpContext context, string? what, int? wait) =>
            {
                OffsiteRun run = service.Ask(Parse(what));
                context.Response.StatusCode = StatusCodes.Status202Accepted;
                context.Response.Headers.Location = string.Create(CultureInfo.InvariantCulture, $"/runs/{run.Id}");
                await WriteAsync(context, await FollowAsync(service, run, wait, context.RequestAborted));
            }
        );
        app.MapGet(
            "/runs/{id:int}",
            async (HttpContext context, int id, int? wait) =>
            {
                OffsiteRun run =
                    service.Runs().FirstOrDefault(run => run.Id == id)
                    ?? throw new CheckpointException(
                        CheckpointError.RunUnknown,
                        $"there is no run {id}",
                        "only the last 100 are remembered"
                    );
                await WriteAsync(context, await FollowAsync(service, run, wait, context.RequestAborted));
            }
        );
        app.MapGet("/status", (HttpContext context) => Json(context, json => Status(json, service)));
    }

    private static OffsiteTask Parse(string? what) =>
        what switch
        {
            null or "copy" => OffsiteTask.Copy,
            "deltas" => OffsiteTask.Deltas,
            "drill" => OffsiteTask.Drill,
            _ => throw new CheckpointException(CheckpointError.Usage, $"what={what} is no run", "copy, deltas or drill"),
        };

    private static async Task<OffsiteRun> FollowAsync(OffsiteService service, OffsiteRun run, int? wait, CancellationToken cancel)
    {
        TimeSpan longest = TimeSpan.FromSeconds(Math.Clamp(wait ?? 0, 0, LongestWait));
        return await service.WaitAsync(run, longest, cancel);
    }

    private static Task WriteAsync(HttpContext context, OffsiteRun run) => Json(context, json => Run(json, run));

    private static void Status(Utf8JsonWriter json, OffsiteService service)
    {
        json.WriteStartObject();
        json.WriteString("next", Utc(service.Next));
        json.WriteString("problem", service.Problem());
        json.WriteStartArray("runs");
        foreach (OffsiteRun run in service.Runs())
        {
            Run(json, run);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Run(Utf8JsonWriter json, OffsiteRun run)
    {
        json.WriteStartObject();
        json.WriteNumber("id", run.Id);
        json.WriteString("what", run.What.ToString().ToLowerInvariant());
        json.WriteString("state", run.State);
        json.WriteString("asked", Utc(run.Asked));
        json.WriteString("ended", run.Ended is { } ended ? Utc(ended) : null);
        json.WriteString("report", run.Report);
        if (run.Failure is { } failure)
        {
            json.WriteStartObject("error");
            json.WriteNumber("exitCode", failure.ExitCode);
            json.WriteString("code", failure.Error.ToString());
            json.WriteString("message", failure.Message);
            json.WriteString("next", failure.Next);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static string Utc(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static Task Json(HttpContext context, Action<Utf8JsonWriter> body)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            body(json);
        }

        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.WriteAsync(System.Text.Encoding.UTF8.GetString(stream.ToArray()), context.RequestAborted);
    }
}
