using ApolloCheckpoint.Engine.Diffing;

namespace ApolloCheckpoint.Engine.Scanning;

/// <summary>What the last pass found in one chunk on disk. Kept for every chunk, so it is small.</summary>
/// <param name="ChangedUnits">Units whose bytes on disk change; 0 when the chunk stays as it is.</param>
/// <param name="Blocks">Its changed blocks, counted from the tensor's start.</param>
internal readonly record struct ChunkOutcome(int ChangedUnits, BlockDiff Blocks);
