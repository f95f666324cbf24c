namespace ApolloCheckpoint.Engine.Planning;

/// <summary>One tensor that is left as it is, as a record of the plan's JSON.</summary>
/// <param name="Disk">The tensor on disk.</param>
/// <param name="Shard">The file that holds it.</param>
/// <param name="Reason">Why it is not live.</param>
/// <param name="Bytes">Bytes on disk.</param>
public sealed record PlanNotLiveRow(string Disk, string Shard, string Reason, long Bytes);
