namespace ApolloCheckpoint.Engine;

/// <summary>How the bytes of a version were read. Recorded in the delta, the log and the report.</summary>
/// <param name="Kind">The label.</param>
/// <param name="Step">The trainer's step for <see cref="ConsistencyKind.Step"/> and <see cref="ConsistencyKind.Locked"/>, when published.</param>
/// <param name="MixedTensors">Names of the tensors on disk that changed between the passes, or whose copies on several ranks differed, for <see cref="ConsistencyKind.Mixed"/>.</param>
public sealed record ConsistencyLabel(ConsistencyKind Kind, long? Step = null, IReadOnlyList<string>? MixedTensors = null)
{
    /// <summary>As users see it: "locked", "step 88210", "stable", "mixed: 12 tensors", "unverified", "restored".</summary>
    public override string ToString() =>
        Kind switch
        {
            ConsistencyKind.Locked => "locked",
            ConsistencyKind.Step => $"step {Step}",
            ConsistencyKind.Stable => "stable",
            ConsistencyKind.Mixed => $"mixed: {MixedTensors?.Count ?? 0} tensors",
            ConsistencyKind.Restored => "restored",
            _ => "unverified",
        };
}
