using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Service;
using Microsoft.Extensions.Logging;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>
/// Tells the off-site service that there is a new version, so that its delta is shipped now and not at the next look. The call carries
/// the trace of the sync. When it fails the version waits for that look: no sync fails because a copy is late. Before the first copy
/// there is nothing that a delta could be added to.
/// </summary>
internal sealed class DeltaCall(HttpClient offsite, Func<bool> hasCopy, ILogger log, CancellationToken stopping) : IDisposable
{
    private const string Path = "/run?what=deltas";

    /// <summary>A client of the service at an address.</summary>
    /// <param name="address">The service.</param>
    /// <param name="tokenFile">The token's file, or null: the default.</param>
    /// <param name="hasCopy">Whether the far side holds a copy.</param>
    /// <param name="log">The log.</param>
    /// <param name="stopping">The service ends.</param>
    public static DeltaCall To(string address, string? tokenFile, Func<bool> hasCopy, ILogger log, CancellationToken stopping) =>
        new(ServiceClient.Create(address, tokenFile), hasCopy, log, stopping);

    /// <summary>Called with every report of a sync; does not wait for an answer.</summary>
    public void Tell(SyncReport report)
    {
        if (report.Changed && !report.DryRun && hasCopy())
        {
            _ = TellAsync(report.Version);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => offsite.Dispose();

    private async Task TellAsync(long version)
    {
        try
        {
            using HttpResponseMessage answer = await offsite.PostAsync(Path, null, stopping);
            answer.EnsureSuccessStatusCode();
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or CheckpointException)
        {
            log.OffsiteNotTold(version, e.Message);
        }
    }
}
