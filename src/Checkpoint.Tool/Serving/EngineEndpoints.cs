using System.ComponentModel;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Rendering;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>The HTTP face of the engine (docs/serve.md). Every answer but the page is JSON, every failure problem details.</summary>
internal sealed partial class EngineEndpoints(EngineJobs jobs, EngineRuns runs, ModelView view, CancellationToken stopping)
{
    /// <summary>Longest time that <c>?wait=SECONDS</c> holds an answer back, seconds.</summary>
    private const int LongestWait = 60;

    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Seldom = TimeSpan.FromSeconds(5);

    /// <summary>Adds all of them.</summary>
    public void Map(IEndpointRouteBuilder app)
    {
        RouteGroupBuilder api = app.MapGroup("").WithTags("engine");
        Changes(api.MapPost("/sync", Sync), "sync", "Bring the live weights into the files");
        Changes(api.MapPost("/fold", Fold), "fold", "Bring the files up to the newest version");
        Changes(api.MapPost("/verify", Verify), "verify", "Compare files and journal with their recorded digests");
        Reads(api.MapGet("/runs", Runs), "runs", "The last runs, newest first, without their reports");
        Reads(api.MapGet("/runs/{id:int}", Run), "run", "One run: how far it is, then its report or its error")
            .ProducesProblem(StatusCodes.Status404NotFound);
        Reads(api.MapGet("/status", Status), "status", "The state of model and service in one look");
        Reads(api.MapGet("/versions", Versions), "versions", "The versions of the journal, as apollo-checkpoint log --json")
            .Produces(StatusCodes.Status200OK, contentType: "application/json");
        Reads(api.MapGet("/plan", Plan), "plan", "What a sync would compare with what; reads no weights")
            .Produces(StatusCodes.Status200OK, contentType: "application/json")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        Reads(api.MapGet("/events", Events), "events", "Server-sent events: a run that begins, goes on or ends")
            .Produces(StatusCodes.Status200OK, contentType: "text/event-stream");
    }

    private static void Changes(RouteHandlerBuilder route, string name, string summary) =>
        route
            .WithName(name)
            .WithSummary(summary)
            .WithDescription("Answers at once; Location names the run to follow. Joins a run of the same kind that is under way.")
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status409Conflict);

    private static RouteHandlerBuilder Reads(RouteHandlerBuilder route, string name, string summary) =>
        route.WithName(name).WithSummary(summary);

    private Accepted<EngineRun> Sync(
        HttpResponse response,
        [Description("Who asks: trigger, page, dashboard")] string? by = null,
        [Description("When the caller will ask again")] DateTimeOffset? next = null
    ) => Start(response, RunKind.Sync, by, next, jobs.Sync);

    private Accepted<EngineRun> Fold(HttpResponse response, [Description("Who asks")] string? by = null) =>
        Start(response, RunKind.Fold, by, null, jobs.Fold);

    private Accepted<EngineRun> Verify(HttpResponse response, [Description("Who asks")] string? by = null) =>
        Start(response, RunKind.Verify, by, null, jobs.Verify);

    private Accepted<EngineRun> Start(
        HttpResponse response,
        RunKind kind,
        string? by,
        DateTimeOffset? next,
        Func<IProgressSink, CancellationToken, RunResult> body
    )
    {
        if (by is not null && !Caller().IsMatch(by))
        {
            throw new CheckpointException(CheckpointError.Usage, "by is not a short word", "for example by=trigger");
        }

        (EngineRun run, bool isNew) = runs.Start(kind, by ?? "program", next?.UtcDateTime, body);
        response.Headers["X-Already-Running"] = isNew ? "false" : "true";
        return TypedResults.Accepted($"/runs/{run.Id}", run);
    }

    private Ok<IReadOnlyList<EngineRun>> Runs() =>
        TypedResults.Ok<IReadOnlyList<EngineRun>>([.. runs.All().Select(run => run with { Report = null })]);

    private async Task<Ok<EngineRun>> Run(
        int id,
        CancellationToken gone,
        [Description("Hold the answer back until the run ends, at most so many seconds, at most 60")] int wait = 0
    )
    {
        if (wait > 0 && runs.Find(id).State == RunState.Running)
        {
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(gone, stopping);
            await runs.WaitUntilIdleAsync(TimeSpan.FromSeconds(Math.Min(wait, LongestWait)), either.Token);
        }

        return TypedResults.Ok(runs.Find(id));
    }

    private Ok<StatusAnswer> Status() => TypedResults.Ok(StatusReader.Read(view, runs, view.Versions()));

    private ContentHttpResult Versions([Description("How many, newest first")] int last = 30)
    {
        IReadOnlyList<VersionEntry> all = view.Versions();
        long? inFiles = view.State()?.FilesVersion;
        VersionRow[] rows = [.. all.Take(Math.Max(0, last)).Select(version => StatusReader.Row(version, inFiles))];
        using StringWriter text = new();
        LogJson.Write(text, rows, all.Count - rows.Length);
        return TypedResults.Text(text.ToString(), "application/json");
    }

    private ContentHttpResult Plan(CancellationToken gone, [Description("Only what does not fit")] bool mismatches = false) =>
        TypedResults.Text(jobs.Plan(mismatches, gone), "application/json");

    private ServerSentEventsResult<string> Events(CancellationToken gone) => TypedResults.ServerSentEvents(Follow(gone));

    /// <summary>
    /// The newest run at once, whenever one begins or ends, and four times a second while one works; the newest version every few
    /// seconds, since the command line makes versions, too.
    /// </summary>
    private async IAsyncEnumerable<SseItem<string>> Follow([EnumeratorCancellation] CancellationToken gone)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(gone, stopping);
        EngineRun? told = null;
        while (!either.IsCancellationRequested)
        {
            Task changed = runs.Changed;
            if (runs.All() is [EngineRun newest, ..] && newest != told)
            {
                told = newest;
                yield return new SseItem<string>(
                    JsonSerializer.Serialize(newest with { Report = null }, ServiceJson.Default.EngineRun),
                    "run"
                );
            }

            if (told?.State == RunState.Running)
            {
                await Task.WhenAny(changed, Task.Delay(Often, either.Token));
                continue;
            }

            yield return new SseItem<string>((view.State()?.Newest ?? 0).ToString(CultureInfo.InvariantCulture), "version");
            await Task.WhenAny(changed, Task.Delay(Seldom, either.Token));
        }
    }

    [GeneratedRegex(@"\A[a-z][a-z-]{0,31}\z")]
    private static partial Regex Caller();
}
