namespace ApolloCheckpoint.Rsync;

/// <summary>What one shipping of deltas did.</summary>
/// <param name="Target">Where to, as people write it.</param>
/// <param name="Snapshot">The snapshot whose journal they were added to.</param>
/// <param name="Version">The newest version that the far side holds now.</param>
/// <param name="Deltas">Deltas that were shipped.</param>
/// <param name="SentBytes">Bytes that went over the wire, as rsync counts them.</param>
/// <param name="Elapsed">Wall time.</param>
public sealed record DeltaReport(string Target, string Snapshot, long Version, int Deltas, long SentBytes, TimeSpan Elapsed);
