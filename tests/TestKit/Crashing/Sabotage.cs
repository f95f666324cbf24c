namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>
/// One flush, rename or removal that a disk reports as done and does not do, so that a harness can be seen to notice. Reads, writes and
/// everything after it go on as if nothing were wrong.
/// </summary>
/// <param name="Operation">Its number, as <see cref="DiskOperation.Number"/> counts.</param>
/// <param name="Until">It is done after the operation of this number instead, which swaps an order; null: never.</param>
public sealed record Sabotage(int Operation, int? Until = null);
