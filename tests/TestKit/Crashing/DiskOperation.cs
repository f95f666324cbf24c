namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>One operation that was done.</summary>
/// <param name="Number">Counted from 1.</param>
/// <param name="Kind">What.</param>
/// <param name="Path">On what; for a rename the old name and the new one.</param>
/// <param name="FileOffset">Bytes, for a write.</param>
/// <param name="Length">Bytes, for a write, an allocation, a new length.</param>
public sealed record DiskOperation(int Number, DiskOperationKind Kind, string Path, long FileOffset = 0, long Length = 0);
