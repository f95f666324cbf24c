using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Rsync;

/// <summary>One run of the off-site service.</summary>
/// <param name="Id">Its number in this process, from 1.</param>
/// <param name="What">What it does.</param>
/// <param name="Asked">When it was asked for.</param>
public sealed record OffsiteRun(int Id, OffsiteTask What, DateTimeOffset Asked)
{
    /// <summary>What it did, when it ended well.</summary>
    public string? Report { get; init; }

    /// <summary>Why it failed, when it did.</summary>
    public CheckpointException? Failure { get; init; }

    /// <summary>When it ended; null while it waits or runs.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>"running" (or waiting for the one before), "done" or "failed".</summary>
    public string State =>
        (Report, Failure) switch
        {
            (not null, _) => "done",
            (_, not null) => "failed",
            _ => "running",
        };
}
