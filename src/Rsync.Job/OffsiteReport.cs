namespace ApolloCheckpoint.Rsync;

/// <summary>What one off-site run did.</summary>
/// <param name="Target">Where to, as people write it.</param>
/// <param name="Snapshot">Name of the snapshot that is now current there.</param>
/// <param name="SentBytes">Bytes that went over the wire, as rsync counts them.</param>
/// <param name="ModelBytes">Bytes of all files of the copy.</param>
/// <param name="Elapsed">Wall time.</param>
public sealed record OffsiteReport(string Target, string Snapshot, long SentBytes, long ModelBytes, TimeSpan Elapsed);
