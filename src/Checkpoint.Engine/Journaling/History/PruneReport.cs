namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>What a prune did.</summary>
/// <param name="Gone">The versions whose deltas are gone, ascending.</param>
/// <param name="Kept">Number of deltas that stay.</param>
/// <param name="FreedBytes">Bytes of the deltas that are gone.</param>
/// <param name="Oldest">The oldest version that can still be restored.</param>
internal sealed record PruneReport(IReadOnlyList<long> Gone, int Kept, long FreedBytes, long Oldest);
