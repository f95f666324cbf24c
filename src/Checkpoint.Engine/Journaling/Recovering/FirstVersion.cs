using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Recovering;

/// <summary>
/// Begins a history: takes the files as they are for a version. Used at the first sync of a directory (version 0) and by adopt (the
/// number goes on). The digests must be durable before the first delta of the history is.
/// </summary>
internal static class FirstVersion
{
    /// <summary>Reads every chunk once. Nothing is written.</summary>
    /// <exception cref="CheckpointException">ShardChangedMeanwhile, DiskReadFailed.</exception>
    internal static DigestTable Measure(
        IDisk disk,
        ModelLayout layout,
        Digest128 lineage,
        long version,
        JournalOptions options,
        CancellationToken cancellation
    )
    {
        ShardRecord[] before = [.. layout.Shards.Select(shard => Record(disk, shard, version))];
        Digest128[] digests = new Digest128[layout.ChunkCount];
        using (ShardFiles files = new(disk, layout.Shards))
        {
            options.Progress.Begin("digests", layout.DataBytes);
            foreach (Shard shard in layout.Shards)
            {
                files.ReadHeader(shard);
            }

            ChunkWorkers.Run(
                [.. Enumerable.Range(0, layout.ChunkCount)],
                options.Workers,
                () => new byte[layout.LargestChunkBytes],
                (ordinal, buffer) =>
                {
                    Chunk chunk = layout[ordinal];
                    digests[ordinal] = Digest128.Of(files.Read(chunk, buffer));
                    options.Progress.Advance(chunk.ByteLength);
                },
                cancellation
            );
            options.Progress.End();
        }

        for (int i = 0; i < before.Length; i++)
        {
            if (!before[i].LooksLike(ShardFiles.Look(disk, layout.Shards[i])))
            {
                throw ShardFiles.ChangedMeanwhile(layout.Shards[i]);
            }
        }

        return new DigestTable(lineage, layout.Identity, before, digests);
    }

    private static ShardRecord Record(IDisk disk, Shard shard, long version)
    {
        FileEntry entry = ShardFiles.Look(disk, shard);
        return new ShardRecord(shard.FileName, shard.Header.Digest, version, entry.Length, entry.ModifiedNs, entry.Inode);
    }
}
