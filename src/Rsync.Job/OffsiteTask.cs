namespace ApolloCheckpoint.Rsync;

/// <summary>What the off-site job can be asked to do.</summary>
public enum OffsiteTask
{
    /// <summary>A whole copy.</summary>
    Copy,

    /// <summary>The deltas since the newest copy.</summary>
    Deltas,

    /// <summary>A restore drill.</summary>
    Drill,
}
