using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling;

/// <summary>Rolls what the shards hold forward along the unfolded deltas.</summary>
internal static class NewestDigests
{
    /// <summary>Digests of all chunks in the newest version.</summary>
    /// <exception cref="CheckpointException">JournalDamaged: table and deltas contradict each other.</exception>
    internal static UInt128[] Roll(ModelLayout layout, DigestTable table, IReadOnlyList<DeltaReader> deltas) =>
        TryRoll(layout, table, deltas)
        ?? throw DeltaFormat.Damaged(deltas.Count == 0 ? "digests.bin" : deltas[^1].Path, "does not fit to what the shards hold");

    /// <summary>As <see cref="Roll"/>, or null when table and deltas contradict each other.</summary>
    internal static UInt128[]? TryRoll(ModelLayout layout, DigestTable table, IReadOnlyList<DeltaReader> deltas)
    {
        UInt128[] digests = [.. table.Digests];
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

        return deltas.Count == 0 || ModelRoot.Of(digests) == deltas[^1].Header.Root ? digests : null;
    }

    private static int EndOf(ModelLayout layout, int place)
    {
        (int first, int count) = layout.ChunksOf(layout.Shards[place]);
        return first + count;
    }
}
