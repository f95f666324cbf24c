namespace ApolloCheckpoint.Engine.Scanning;

/// <summary>The counts of a scan over the whole model. Bytes are of the disk.</summary>
/// <param name="ComparedBytes">Bytes compared.</param>
/// <param name="ComparedUnits">Units compared.</param>
/// <param name="ChangedUnits">Units whose bytes change.</param>
/// <param name="ChangedBytes">Bytes of these units.</param>
/// <param name="ComparedBlocks">Blocks compared.</param>
/// <param name="ChangedBlocks">Blocks that hold a change.</param>
/// <param name="ChangedBlockBytes">Bytes of these blocks.</param>
/// <param name="Shards">The same a shard, by file name: compared bytes, changed units, bytes of changed blocks.</param>
internal sealed record ScanTotals(
    long ComparedBytes,
    long ComparedUnits,
    long ChangedUnits,
    long ChangedBytes,
    long ComparedBlocks,
    long ChangedBlocks,
    long ChangedBlockBytes,
    IReadOnlyList<ShardReport> Shards
);
