using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>Rolls what the shards hold forward along the unfolded deltas.</summary>
internal static class NewestDigests
{
    /// <summary>Digests of all chunks in the newest version.</summary>
    /// <param name="layout">The model.</param>
    /// <param name="table">What the shards hold.</param>
    /// <param name="deltas">The deltas after the oldest of the shards' versions.</param>
    /// <param name="root">The newest version's root as the journal says; null when the journal is empty.</param>
    /// <exception cref="CheckpointException">JournalDamaged: table and deltas contradict each other.</exception>
    internal static Digest128[] Roll(ModelLayout layout, DigestTable table, IReadOnlyList<DeltaReader> deltas, Digest128? root) =>
        TryRoll(layout, table, deltas, root)
        ?? throw DeltaFormat.Damaged(deltas.Count == 0 ? "digests.bin" : deltas[^1].Path, "does not fit to what the shards hold");

    /// <summary>As <see cref="Roll"/>, or null when table and deltas contradict each other.</summary>
    internal static Digest128[]? TryRoll(ModelLayout layout, DigestTable table, IReadOnlyList<DeltaReader> deltas, Digest128? root)
    {
        Digest128[] digests = [.. table.Digests];
        foreach (DeltaReader delta in deltas)
        {
            int place = 0;
            foreach (DeltaChunk entry in delta.ReadChunks())
            {
                while (entry.Ordinal >= EndOf(layout, place))
                {
                    place++;
                }

                if (table.Shards[place].Version >= delta.Header.Version)
                {
                    continue;
                }

                if (digests[entry.Ordinal] != entry.DigestBefore)
                {
                    return null;
                }

                digests[entry.Ordinal] = entry.DigestAfter;
            }
        }

        return root is null || ModelRoot.Of(digests) == root ? digests : null;
    }

    private static int EndOf(ModelLayout layout, int place)
    {
        (int first, int count) = layout.ChunksOf(layout.Shards[place]);
        return first + count;
    }
}
