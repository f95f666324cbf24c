namespace ApolloCheckpoint.Rsync;

/// <summary>What the off-site job is asked to do.</summary>
/// <param name="ModelDirectory">The model directory, absolute.</param>
/// <param name="Target">Where the copies go.</param>
public sealed record OffsiteOptions(string ModelDirectory, RsyncTarget Target)
{
    /// <summary>Most KiB a second, or 0 for no limit.</summary>
    public int BandwidthKiB { get; init; }

    /// <summary>Snapshots kept on the far side; the newest always stays.</summary>
    public int Keep { get; init; } = 14;

    /// <summary>Bring the files to the newest version before they are shipped.</summary>
    public bool FoldFirst { get; init; }

    /// <summary>Have the far side read its copy and compare it with what was sent, before it becomes current.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>How many chunks of at most 2 MiB a restore drill fetches.</summary>
    public int DrillChunks { get; init; } = 64;

    /// <summary>How long to wait for a running fold before giving up.</summary>
    public TimeSpan LockWait { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Seconds between two questions to a silent far side; after four without an answer the connection is given up.</summary>
    public int AliveSeconds { get; init; } = 15;

    /// <summary>The rsync program.</summary>
    public string RsyncProgram { get; init; } = "rsync";

    /// <summary>The ssh program and its further options (a configuration file).</summary>
    public IReadOnlyList<string> SshCommand { get; init; } = ["ssh"];
}
