using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>One chunk of a redo file.</summary>
/// <param name="DigestAfter">Digest of the chunk when its values are in place.</param>
/// <param name="Ranges">Offset inside the chunk and length, ascending, not overlapping.</param>
/// <param name="DataOffset">Bytes from the start of the redo file to the values of the first range; the others follow.</param>
internal sealed record RedoRecord(Digest128 DigestAfter, IReadOnlyList<(int Offset, int Length)> Ranges, long DataOffset);
