using System.Net;
using ApolloCheckpoint.Engine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>
/// The engine behind HTTP on loopback: <c>POST /sync</c> (202, and a run to follow), <c>GET /runs/{id}</c>, <c>/status</c>,
/// <c>/health</c>, <c>/alive</c>, and a status page at <c>/</c>.
/// </summary>
internal static class EngineService
{
    /// <summary>
    /// Header that a request which changes something must carry. A web page in the operator's browser cannot send it to another origin
    /// without asking first, and nobody answers that question here.
    /// </summary>
    internal const string IntentHeader = "X-Apollo-Checkpoint";

    /// <summary>Longest time that <c>GET /runs/{id}?wait=SECONDS</c> holds its answer back for a run to end, seconds.</summary>
    private const int LongestWait = 60;

    /// <summary>Serves until cancelled; a running sync is ended cleanly first.</summary>
    /// <param name="request">The sync that each run does.</param>
    /// <param name="url">Where to listen, or null: what ASPNETCORE_URLS says, else http://127.0.0.1:5180.</param>
    /// <param name="sync">Runs one sync.</param>
    /// <param name="cancel">Stops the service.</param>
    public static async Task RunAsync(
        SyncRequest request,
        string? url,
        Func<SyncRequest, IProgressSink, CancellationToken, SyncReport> sync,
        CancellationToken cancel
    )
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.AddSimpleConsole(options => options.SingleLine = true);
        Telemetry.AddTo(builder, "engine");
        string? fromHost = Environment.GetEnvironmentVariable("ASPNETCORE_URLS");
        builder.WebHost.UseUrls(url ?? (string.IsNullOrEmpty(fromHost) ? "http://127.0.0.1:5180" : fromHost));
        await using WebApplication app = builder.Build();
        SyncRuns runs = new(stopping => sync(request, NoProgress.Instance, stopping), TimeProvider.System, cancel);
        Map(app, request, runs);
        await app.StartAsync(cancel);
        await app.WaitForShutdownAsync(cancel);
        await runs.WaitUntilIdleAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
    }

    private static void Map(WebApplication app, SyncRequest request, SyncRuns runs)
    {
        app.Use(RefuseStrangers);
        app.MapPost(
            "/sync",
            context =>
            {
                (RunRecord run, bool isNew) = runs.Start();
                context.Response.StatusCode = StatusCodes.Status202Accepted;
                context.Response.Headers.Location = $"/runs/{run.Id}";
                context.Response.Headers["X-Already-Running"] = isNew ? "false" : "true";
                return Json(context, ServiceJson.Run(run));
            }
        );
        app.MapGet(
            "/runs/{id:int}",
            async (HttpContext context, int id, int? wait) =>
            {
                if (wait is > 0)
                {
                    await runs.WaitUntilIdleAsync(TimeSpan.FromSeconds(Math.Min(wait.Value, LongestWait)), context.RequestAborted);
                }

                await (runs.Find(id) is { } run ? Json(context, ServiceJson.Run(run)) : NotFound(context));
            }
        );
        app.MapGet("/status", context => Json(context, ServiceJson.Status(request.ModelDirectory, runs)));
        app.MapGet("/alive", () => "alive");
        app.MapGet("/health", (HttpContext context) => Health(context, runs));
        app.MapGet("/", (HttpContext context) => Html(context, StatusPage.Render(request.ModelDirectory, runs.All())));
    }

    /// <summary>
    /// Only this machine, by a name of this machine (a foreign page could point its own name here), and only with intent where
    /// something changes.
    /// </summary>
    private static async Task RefuseStrangers(HttpContext context, RequestDelegate next)
    {
        bool isLocal = context.Connection.RemoteIpAddress is not { } address || IPAddress.IsLoopback(address);
        bool isNamed = context.Request.Host.Host is "localhost" or "127.0.0.1" or "[::1]" or "::1";
        bool isRead = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        if (!isLocal || !isNamed || (!isRead && !context.Request.Headers.ContainsKey(IntentHeader)))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            await context.Response.WriteAsync($"Only from this machine, and with the header {IntentHeader} where something changes.\n");
            return;
        }

        await next(context);
    }

    private static Task Health(HttpContext context, SyncRuns runs)
    {
        bool isHealthy = runs.Newest is not { Failure: not null };
        context.Response.StatusCode = isHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsync(isHealthy ? "healthy\n" : $"the last sync failed: {runs.Newest?.Failure?.Message}\n");
    }

    private static Task Json(HttpContext context, string text)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.WriteAsync(text);
    }

    private static Task Html(HttpContext context, string text)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'";
        return context.Response.WriteAsync(text);
    }

    private static Task NotFound(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return context.Response.WriteAsync("no such run; only the last 100 are remembered\n");
    }
}
