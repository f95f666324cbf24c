namespace ApolloCheckpoint.Engine;

/// <summary>What a sync found and did in one shard. Sizes in bytes.</summary>
/// <param name="FileName">The shard.</param>
/// <param name="ComparedBytes">Bytes compared.</param>
/// <param name="ChangedElements">Elements whose bits change.</param>
/// <param name="ChangedBlockBytes">Bytes of the blocks that hold a change (the old program's "MB changed").</param>
/// <param name="FoldedBy">How it was brought up to date: patch, replace, or null when it was not.</param>
/// <param name="WrittenBytes">Bytes written to the shard or its replacement, and to its redo.</param>
public sealed record ShardReport(
    string FileName,
    long ComparedBytes,
    long ChangedElements,
    long ChangedBlockBytes,
    FoldWay? FoldedBy,
    long WrittenBytes
);
