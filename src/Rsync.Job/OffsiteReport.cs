namespace ApolloCheckpoint.Rsync;

/// <summary>What one off-site copy did.</summary>
/// <param name="Target">Where to, as people write it.</param>
/// <param name="Snapshot">Name of the snapshot that is now current there.</param>
/// <param name="Version">The newest version that it holds; null when the model was never synced.</param>
/// <param name="FilesVersion">The version that its files hold; those above it are deltas in its journal.</param>
/// <param name="SentBytes">Bytes that went over the wire, as rsync counts them.</param>
/// <param name="ModelBytes">Bytes of all files of the copy.</param>
/// <param name="Files">Files whose SHA-256 was compared there; 0 when it was not asked for.</param>
/// <param name="SumsSha256">SHA-256 of the copy's list of sums, 64 hex digits: what a restore drill trusts.</param>
/// <param name="Did">What was recovered, folded or sent again, a sentence each.</param>
/// <param name="Elapsed">Wall time.</param>
public sealed record OffsiteReport(
    string Target,
    string Snapshot,
    long? Version,
    long? FilesVersion,
    long SentBytes,
    long ModelBytes,
    int Files,
    string SumsSha256,
    IReadOnlyList<string> Did,
    TimeSpan Elapsed
);
