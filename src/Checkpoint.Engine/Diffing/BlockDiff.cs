namespace ApolloCheckpoint.Engine.Diffing;

/// <summary>
/// Which blocks of a larger range one part of it changes. Blocks at the part's borders may reach into its neighbours, so they are
/// named, not counted: <see cref="BlockTally"/> counts each once.
/// </summary>
/// <param name="WholeChanged">Changed blocks that lie wholly inside the part.</param>
/// <param name="DirtyFirst">Number of the block that began before the part, if what the part holds of it changed; else null.</param>
/// <param name="DirtyLast">Number of the block that the part ends inside of, if what the part holds of it changed; else null.</param>
internal readonly record struct BlockDiff(int WholeChanged, long? DirtyFirst, long? DirtyLast);
