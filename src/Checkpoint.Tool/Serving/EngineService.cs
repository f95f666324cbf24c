using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Service;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>
/// The engine behind HTTP on loopback: <c>POST /sync</c> (202, and a run to follow), <c>GET /runs/{id}</c>, <c>/status</c>,
/// <c>/health</c>, <c>/alive</c>, and a status page at <c>/</c>.
/// </summary>
internal static class EngineService
{
    /// <summary>Longest time that <c>GET /runs/{id}?wait=SECONDS</c> holds its answer back for a run to end, seconds.</summary>
    private const int LongestWait = 60;

    /// <summary>Serves until cancelled; a running sync is ended cleanly first.</summary>
    /// <param name="request">The sync that each run does.</param>
    /// <param name="options">Where it listens and who may use it.</param>
    /// <param name="sync">Runs one sync.</param>
    /// <param name="cancel">Stops the service.</param>
    public static async Task RunAsync(
        SyncRequest request,
        ServiceOptions options,
        Func<SyncRequest, IProgressSink, CancellationToken, SyncReport> sync,
        CancellationToken cancel
    )
    {
        WebApplicationBuilder builder = ServiceHost.CreateBuilder(options);
        await using WebApplication app = ServiceHost.Build(builder, options);
        SyncRuns runs = new(stopping => sync(request, NoProgress.Instance, stopping), TimeProvider.System, cancel);
        Map(app, request, runs);
        await ServiceHost.RunAsync(app, options, cancel);
        await runs.WaitUntilIdleAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
    }

    private static void Map(WebApplication app, SyncRequest request, SyncRuns runs)
    {
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
        app.MapGet("/", (HttpContext context) => Html(context, StatusPage.Render(request.ModelDirectory, runs.All())));
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
