using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>One sync that the service ran or runs.</summary>
/// <param name="Id">Its number in this process, from 1.</param>
/// <param name="Started">When it began.</param>
internal sealed record RunRecord(int Id, DateTimeOffset Started)
{
    /// <summary>What it did, when it ended well.</summary>
    public SyncReport? Report { get; init; }

    /// <summary>Why it failed, when it did.</summary>
    public CheckpointException? Failure { get; init; }

    /// <summary>"running", "done" or "failed".</summary>
    public string State =>
        (Report, Failure) switch
        {
            (not null, _) => "done",
            (_, not null) => "failed",
            _ => "running",
        };
}
