using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ApolloCheckpoint.AppHost;

/// <summary>
/// Starts a service again that ended without having been asked to: after 1 s, 2 s, 4 s, at most half a minute. One that was stopped in the
/// dashboard stays stopped.
/// </summary>
internal sealed partial class StartAgain(ResourceNotificationService resources, ResourceCommandService commands, ILogger<StartAgain> log)
    : BackgroundService
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    // A service that ran for so long begins to count anew.
    private static readonly TimeSpan Steady = TimeSpan.FromMinutes(2);

    private readonly Dictionary<string, Watched> watched = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (ResourceEvent news in resources.WatchAsync(stoppingToken))
        {
            if (news.Resource.Annotations.OfType<ServiceAnnotation>().Any())
            {
                See(news, stoppingToken);
            }
        }
    }

    private void See(ResourceEvent news, CancellationToken stopping)
    {
        string? state = news.Snapshot.State?.Text;
        if (!watched.TryGetValue(news.ResourceId, out Watched? service))
        {
            watched[news.ResourceId] = service = new Watched();
        }

        bool hasEnded =
            state == KnownResourceStates.Exited || state == KnownResourceStates.Finished || state == KnownResourceStates.FailedToStart;
        if (state == KnownResourceStates.Running)
        {
            service.RunningSince ??= DateTime.UtcNow;
        }
        else if (state == KnownResourceStates.Stopping)
        {
            service.RunningSince = null;
        }
        else if (hasEnded && service.RunningSince is { } since)
        {
            service.RunningSince = null;
            service.Crashes = DateTime.UtcNow - since > Steady ? 1 : service.Crashes + 1;
            TimeSpan wait = TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, Math.Pow(2, service.Crashes - 1)));
            Ended(log, news.Resource.Name, news.Snapshot.ExitCode, wait.TotalSeconds);
            _ = StartAsync(news.ResourceId, news.Resource.Name, wait, stopping);
        }
    }

    private async Task StartAsync(string id, string name, TimeSpan wait, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(wait, stopping);
            ExecuteCommandResult result = await commands.ExecuteCommandAsync(id, KnownResourceCommands.StartCommand, stopping);
            if (!result.Success)
            {
                NotStarted(log, name, result.Message ?? "");
            }
        }
        catch (OperationCanceledException)
        {
            // The pipeline ends.
        }
    }

    [LoggerMessage(
        600,
        LogLevel.Error,
        "{Service} ended by itself with exit code {ExitCode}; started again in {Seconds} s",
        EventName = "service.ended"
    )]
    private static partial void Ended(ILogger log, string service, int? exitCode, double seconds);

    [LoggerMessage(601, LogLevel.Error, "{Service} could not be started again: {Reason}", EventName = "service.not_started")]
    private static partial void NotStarted(ILogger log, string service, string reason);

    private sealed class Watched
    {
        public DateTime? RunningSince { get; set; }

        public int Crashes { get; set; }
    }
}
