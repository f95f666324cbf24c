namespace ApolloCheckpoint.Rsync;

/// <summary>What a restore drill fetched back and found to be what was recorded.</summary>
/// <param name="Target">Where from, as people write it.</param>
/// <param name="Snapshot">The snapshot.</param>
/// <param name="Version">The version that its files hold.</param>
/// <param name="Chunks">Chunks fetched, of all shards, at random.</param>
/// <param name="OfChunks">Chunks that the model has.</param>
/// <param name="Bytes">Bytes fetched, the digests and a delta among them.</param>
/// <param name="Delta">The delta that was fetched as a whole, or null where there is none.</param>
/// <param name="Elapsed">Wall time.</param>
public sealed record DrillReport(
    string Target,
    string Snapshot,
    long Version,
    int Chunks,
    int OfChunks,
    long Bytes,
    long? Delta,
    TimeSpan Elapsed
);
