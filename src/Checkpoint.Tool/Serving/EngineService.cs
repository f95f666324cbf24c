using System.Text.Json.Serialization;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Service;
using ApolloCheckpoint.Tool.Serving.Page;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>
/// <c>serve</c>: the engine behind HTTP on this machine, and the status page at <c>/</c> (docs/serve.md). One model, one run at a time.
/// </summary>
internal static class EngineService
{
    /// <summary>Where it listens when nobody says otherwise.</summary>
    public const string DefaultUrl = "http://127.0.0.1:5180";

    /// <summary>Serves until cancelled; a running run is ended cleanly first.</summary>
    /// <param name="request">The sync that each run does.</param>
    /// <param name="options">Where it listens and who may use it.</param>
    /// <param name="offsiteUrl">The off-site service that is told of new versions, or null.</param>
    /// <param name="context">Where it speaks, how a sync is run, when to stop.</param>
    /// <exception cref="CheckpointException">ListenFailed, TokenUnusable, Usage, 15xx (the history).</exception>
    public static async Task RunAsync(SyncRequest request, ServiceOptions options, string? offsiteUrl, ToolContext context)
    {
        WebApplicationBuilder builder = ServiceHost.CreateBuilder(options);
        builder.Services.Configure<JsonOptions>(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ServiceJson.Default);
            // Numbers are numbers, here and in the description.
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        builder.Services.AddOpenApi(OpenApiText.Describe);
        RunHistory history = RunHistory.Open(ServiceFolder.Default, request.ModelDirectory);
        builder.Services.AddSingleton(services => new EngineRuns(
            history,
            context.Console.Time,
            services.GetRequiredService<ILoggerFactory>().CreateLogger("apollo-checkpoint.engine"),
            context.Cancel
        ));
        builder.Services.AddHealthChecks().AddCheck<LastSyncCheck>("last-sync");
        await using WebApplication app = ServiceHost.Build(builder, options);
        EngineRuns runs = app.Services.GetRequiredService<EngineRuns>();
        ILogger log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("apollo-checkpoint.engine");
        EngineJobs jobs = new(request, context.Sync);
        ModelView view = new(request.ModelDirectory);
        CancellationToken stopping = app.Lifetime.ApplicationStopping;
        Func<StatusAnswer> status = () => StatusReader.Read(view, runs, view.Versions());
        using EngineMetrics metrics = new(status, context.Console.Time);
        jobs.Synced += metrics.Record;
        jobs.Failed += metrics.Record;
        jobs.Synced += report =>
        {
            foreach (string warning in report.Warnings)
            {
                log.RunWarning(runs.All()[0].Id, warning);
            }
        };
        Func<bool> hasCopy = () => OffsiteView.TryRead(view.Paths.Model)?.Version is not null;
        using DeltaCall? offsite = offsiteUrl is null ? null : DeltaCall.To(offsiteUrl, options.TokenFile, hasCopy, log, stopping);
        if (offsite is not null)
        {
            jobs.Synced += offsite.Tell;
        }

        app.MapOpenApi();
        new EngineEndpoints(jobs, runs, view, stopping).Map(app);
        string? tokenFile = options.IsOpen ? null : ServiceToken.Read(options.TokenFile).FilePath;
        StatusPage page = new(view, runs, context.Console.Time, tokenFile);
        page.Map(app);
        app.Lifetime.ApplicationStarted.Register(() => Task.Run(page.Warm));
        app.Lifetime.ApplicationStarted.Register(() => Announce(app, log, request, options, context.Console));
        app.Lifetime.ApplicationStopping.Register(log.Stopping);
        await ServiceHost.RunAsync(app, options, context.Cancel);
        await runs.WaitUntilIdleAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
    }

    /// <summary>The link with the token only where a person reads it, never in a log: whoever has it may start a sync.</summary>
    private static void Announce(WebApplication app, ILogger log, SyncRequest request, ServiceOptions options, ToolConsole console)
    {
        string address = app.Urls.FirstOrDefault(url => ServiceAddress.SocketOf(url) is null) ?? options.Address;
        log.Started(request.ModelDirectory, address, address);
        if (!options.IsOpen && ServiceAddress.SocketOf(address) is null)
        {
            ServiceToken token = ServiceToken.Read(options.TokenFile);
            string secret = console.DrawProgress ? token.Text : $"$(cat {token.FilePath})";
            console.Error.WriteLine($"to press Sync now on the page, open  {address}/#token={secret}");
        }
    }
}
