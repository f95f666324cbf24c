using System.Text.Json.Serialization;
using ApolloCheckpoint.Service;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>
/// The trigger as a service: <c>POST /pause</c>, <c>POST /resume</c>, <c>GET /status</c>, and what every service has
/// (<see cref="ServiceHost"/>). Without an address it has no listener; systemd is told that it lives either way.
/// </summary>
internal static partial class TriggerService
{
    /// <summary>Runs it until cancelled, or the schedule ends.</summary>
    public static async Task RunAsync(Trigger trigger, ServiceOptions options, CancellationToken cancel)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task watchdog = SystemdWatchdog.RunAsync(() => true, over.Token);
        Task listener = options.Address.Length == 0 ? Task.Delay(Timeout.Infinite, over.Token) : ListenAsync(trigger, options, over.Token);
        try
        {
            // Whichever ends first ends the other: the schedule, the listener (its address is taken), or both by the signal.
            await await Task.WhenAny(trigger.RunAsync(over.Token), listener);
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(watchdog, listener).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private static async Task ListenAsync(Trigger trigger, ServiceOptions options, CancellationToken cancel)
    {
        WebApplicationBuilder builder = ServiceHost.CreateBuilder(options);
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, StatusJson.Default));
        builder
            .Services.AddHealthChecks()
            .AddCheck(
                "versions",
                () => trigger.Problem() is { } problem ? HealthCheckResult.Unhealthy(problem) : HealthCheckResult.Healthy()
            );
        await using WebApplication app = ServiceHost.Build(builder, options);
        app.MapGet("/status", () => TypedResults.Ok(StatusOf(trigger)));
        app.MapPost(
            "/pause",
            () =>
            {
                trigger.Pause();
                return TypedResults.Ok(StatusOf(trigger));
            }
        );
        app.MapPost(
            "/resume",
            () =>
            {
                trigger.Resume();
                return TypedResults.Ok(StatusOf(trigger));
            }
        );
        await ServiceHost.RunAsync(app, options, cancel);
    }

    private static Status StatusOf(Trigger trigger) =>
        new(trigger.IsPaused, trigger.IsAsking, trigger.Next?.UtcDateTime, trigger.Last, trigger.Problem());

    /// <summary>What <c>/status</c> answers. Fields may be added, never renamed; times are UTC.</summary>
    /// <param name="Paused">Whether it was told to pause.</param>
    /// <param name="Asking">Whether a sync is under way.</param>
    /// <param name="Next">When the next one is due.</param>
    /// <param name="Last">What the last one said.</param>
    /// <param name="Problem">Why it is not healthy, or null.</param>
    internal sealed record Status(bool Paused, bool Asking, DateTime? Next, string? Last, string? Problem);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(Status))]
    private sealed partial class StatusJson : JsonSerializerContext;
}
