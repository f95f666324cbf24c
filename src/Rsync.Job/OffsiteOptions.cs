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

    /// <summary>How long to wait for a running fold before giving up.</summary>
    public TimeSpan LockWait { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The rsync program.</summary>
    public string RsyncProgram { get; init; } = "rsync";

    /// <summary>The ssh program and its further options (a port, an identity file).</summary>
    public IReadOnlyList<string> SshCommand { get; init; } = ["ssh"];
}
