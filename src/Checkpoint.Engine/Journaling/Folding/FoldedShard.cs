namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>What a fold did to one shard.</summary>
/// <param name="FileName">The shard.</param>
/// <param name="Way">Patch or replace.</param>
/// <param name="WrittenBytes">Bytes written to the shard or its replacement, and to its redo.</param>
/// <param name="DirtyPages">4 KiB pages of the file that changed.</param>
internal sealed record FoldedShard(string FileName, FoldWay Way, long WrittenBytes, long DirtyPages);
