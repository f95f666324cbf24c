using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>Unhealthy while the newest sync is one that failed: the live weights are ahead of the files and nothing mends it by itself.</summary>
internal sealed class LastSyncCheck(EngineRuns runs) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        EngineRun? last = runs.All().FirstOrDefault(run => run.Kind == RunKind.Sync && run.State is RunState.Done or RunState.Failed);
        return Task.FromResult(
            last is { State: RunState.Failed, Error: { } error }
                ? HealthCheckResult.Unhealthy(
                    $"the last sync failed: {error.Message}" + (error.Next is null ? "" : $"; next: {error.Next}")
                )
                : HealthCheckResult.Healthy()
        );
    }
}
