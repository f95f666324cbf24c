using System.Globalization;
using Microsoft.Extensions.Hosting.Systemd;

namespace ApolloCheckpoint.Service;

/// <summary>
/// Tells systemd that the process is up and, half as often as <c>WatchdogSec=</c> asks, that it is alive. A service that stops saying so
/// is killed and started again. Without systemd it does nothing.
/// </summary>
public static class SystemdWatchdog
{
    /// <summary>Goes on until cancelled.</summary>
    /// <param name="isAlive">Asked each time; false: nothing is said, and systemd acts.</param>
    /// <param name="cancel">Stops it; systemd is told that the service ends.</param>
    public static async Task RunAsync(Func<bool> isAlive, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(isAlive);
        SystemdNotifier systemd = new();
        if (!systemd.IsEnabled)
        {
            return;
        }

        systemd.Notify(ServiceState.Ready);
        string? asked = Environment.GetEnvironmentVariable("WATCHDOG_USEC");
        bool isWatched = long.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds) && microseconds > 0;
        TimeSpan half = isWatched ? TimeSpan.FromMicroseconds(microseconds / 2) : Timeout.InfiniteTimeSpan;
        try
        {
            while (true)
            {
                if (isWatched && isAlive())
                {
                    systemd.Notify(new ServiceState("WATCHDOG=1"));
                }

                await Task.Delay(half, cancel);
            }
        }
        catch (OperationCanceledException)
        {
            systemd.Notify(ServiceState.Stopping);
        }
    }
}
