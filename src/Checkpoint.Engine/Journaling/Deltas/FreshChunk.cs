namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>The pages of one chunk that a delta changes.</summary>
/// <param name="Ordinal">The chunk.</param>
/// <param name="Ranges">Offset inside the chunk and length, bytes, ascending and apart.</param>
/// <param name="Pages">Number of pages in them.</param>
/// <param name="Values">The new bytes of all ranges, one after the other.</param>
internal sealed record FreshChunk(int Ordinal, IReadOnlyList<(int Offset, int Length)> Ranges, int Pages, byte[] Values);
