using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool;

/// <summary>What every verb is given: where to speak, when to stop, and how a sync is run.</summary>
/// <param name="Console">Where the verb speaks.</param>
/// <param name="Sync">Runs a sync: the engine's, or a test's.</param>
/// <param name="Cancel">Cancelled by the first SIGINT or SIGTERM.</param>
internal sealed record ToolContext(
    ToolConsole Console,
    Func<SyncRequest, IProgressSink, CancellationToken, SyncReport> Sync,
    CancellationToken Cancel
);
