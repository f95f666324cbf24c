using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Recovering;

internal sealed partial class Recovery
{
    /// <summary>Other headers than those of the digests mean that something else wrote the files.</summary>
    private void CheckLayout(DigestTable? table)
    {
        if (table is null || table.Fits(layout))
        {
            return;
        }

        foreach ((ShardRecord record, Shard shard) in table.Shards.Zip(layout.Shards))
        {
            if (record.FileName != shard.FileName || record.HeaderDigest != shard.Header.Digest)
            {
                throw ForeignBytes.Shard(shard.FileName, "has another name or header than when it was last synced");
            }
        }

        throw ForeignBytes.Shard(
            layout.Shards[^1].FileName,
            $"the model has {layout.Shards.Count} shards, it had {table.Shards.Length} when it was last synced"
        );
    }

    /// <summary>The journal must lead on from what the shards hold, and hold all that was ever promised.</summary>
    private void CheckChain(Journal journal, DigestTable? table, ModelState? state)
    {
        DeltaHeader? last = journal.Last;
        if (last is not null && table is not null)
        {
            long low = table.Shards.Min(shard => shard.Version);
            long high = table.Shards.Max(shard => shard.Version);
            if (last.Lineage != table.Lineage)
            {
                throw new CheckpointException(
                    CheckpointError.JournalForeign,
                    $"{paths.Delta(last.Version)} belongs to another history than the files",
                    "move the journal of the other history away; nothing was touched"
                );
            }

            if (high > last.Version || low < journal.First?.Parent)
            {
                throw DeltaFormat.Damaged(
                    paths.Journal,
                    $"holds versions {journal.First?.Version} to {last.Version}, the files hold {low} to {high}: deltas are missing"
                );
            }
        }

        long newest = Math.Max(last?.Version ?? 0, table?.Shards.Max(shard => shard.Version) ?? 0);
        if (state is not null && state.Newest > newest && (last is not null || table is not null))
        {
            throw DeltaFormat.Damaged(paths.Delta(state.Newest), "is missing: state.json knows the version");
        }
    }
}
