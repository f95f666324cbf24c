using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Rsync;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>What the off-site job last said of its copy (docs/offsite.md), as the service shows it. Times are UTC.</summary>
/// <param name="Target">Where the copies go.</param>
/// <param name="Version">The newest version there, or null.</param>
/// <param name="Time">When something was last shipped, or null.</param>
/// <param name="DrillTime">When a drill last fetched a part back and found it right, or null.</param>
/// <param name="Next">When the next copy is due, or null.</param>
/// <param name="Failure">Why the newest run failed, or null.</param>
/// <param name="FailureNext">What to do about it, or null.</param>
internal sealed record OffsiteView(
    string Target,
    long? Version,
    DateTime? Time,
    DateTime? DrillTime,
    DateTime? Next,
    string? Failure,
    string? FailureNext
)
{
    /// <summary>Reads it; null when there is none or it cannot be understood.</summary>
    internal static OffsiteView? TryRead(string modelDirectory)
    {
        if (OffsiteState.TryRead(Disk.Instance, modelDirectory) is not { } state)
        {
            return null;
        }

        DateTimeOffset? shipped = state.Copy?.Time;
        if (state.Deltas is { } deltas && deltas.Time > shipped)
        {
            shipped = deltas.Time;
        }

        return new OffsiteView(
            state.Target,
            state.NewestVersion,
            shipped?.UtcDateTime,
            state.Drill?.Time.UtcDateTime,
            state.Next?.UtcDateTime,
            state.Failure?.Message,
            state.Failure?.Next
        );
    }
}
