using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>
/// Folds shards by putting new files in their places. The old file is only read: until the rename it is whole, and a loader that has it
/// open keeps it whole for ever. All replacements of a batch are written and proven first and then renamed together.
/// </summary>
internal sealed class ReplaceFold(JournalSession session, CancellationToken cancellation)
{
    /// <summary>Replaces shards in one go.</summary>
    /// <returns>What was written, in the order of the shards.</returns>
    /// <exception cref="CheckpointException">
    /// DiskFull and others before the first rename: every shard is as it was. ShardForeign, JournalDamaged likewise.
    /// </exception>
    internal IReadOnlyList<FoldedShard> Run(IReadOnlyList<Shard> shards)
    {
        List<FoldedShard> folded = [];
        try
        {
            folded.AddRange(shards.Select(shard => FoldSpan.Around(shard, Write)));
        }
        catch
        {
            Sweep(session.Disk, session.Paths, shards);
            throw;
        }

        foreach (Shard shard in shards)
        {
            session.Disk.Rename(session.Paths.FoldingOf(shard.FileName), shard.FilePath);
        }

        session.Disk.FlushFolder(session.Paths.Model);
        return folded;
    }

    /// <summary>Deletes replacements that never got their names.</summary>
    /// <returns>How many.</returns>
    internal static int Sweep(IDisk disk, StatePaths paths, IEnumerable<Shard> shards)
    {
        int count = 0;
        foreach (string path in shards.Select(shard => paths.FoldingOf(shard.FileName)).Where(path => disk.Stat(path) is not null))
        {
            disk.Delete(path);
            count++;
        }

        return count;
    }

    private FoldedShard Write(Shard shard)
    {
        string path = session.Paths.FoldingOf(shard.FileName);
        Sweep(session.Disk, session.Paths, [shard]);
        // Private until it has the access rights of the file that it replaces.
        using IDiskFile folding = session.Disk.Create(path, isPrivate: true);
        folding.Allocate(shard.Length);
        long pages;
        using (ShardFiles files = new(session.Disk, [shard]))
        {
            folding.Write(files.ReadHeader(shard), 0);
            pages = WriteChunks(shard, files, folding);
        }

        session.Disk.CopyAccess(ShardReader.RealPath(session.Disk, shard.FilePath), path);
        folding.Flush();
        Prove(shard, folding);
        return new FoldedShard(shard.FileName, FoldWay.Replace, shard.Length, pages);
    }

    private long WriteChunks(Shard shard, ShardFiles files, IDiskFile folding)
    {
        long pages = 0;
        ChunkWorkers.Run(
            session.OrdinalsOf(shard),
            session.Options.Workers,
            () => new FoldWorker(session),
            (ordinal, worker) =>
            {
                Chunk chunk = session.Layout[ordinal];
                Span<byte> before = files.Read(chunk, worker.Before);
                Span<byte> after = worker.After.AsSpan(0, before.Length);
                before.CopyTo(after);
                if (session.Chain.BringToNewest(chunk, after, session.NewestDigest(ordinal), worker.Codec))
                {
                    Interlocked.Add(ref pages, DirtyPages.Find(before, after, chunk.FileOffset, worker.Ranges));
                }

                folding.Write(after, chunk.FileOffset);
                session.Options.Progress.Advance(chunk.ByteLength);
            },
            cancellation
        );
        return pages;
    }

    /// <summary>Reads the flushed file back: a name is only given to what is proven to be the newest version.</summary>
    private void Prove(Shard shard, IDiskFile folding)
    {
        if (folding.Length != shard.Length)
        {
            throw Unproven(shard, $"has {folding.Length} bytes instead of {shard.Length}");
        }

        ChunkWorkers.Run(
            session.OrdinalsOf(shard),
            session.Options.Workers,
            () => new byte[session.Layout.LargestChunkBytes],
            (ordinal, buffer) =>
            {
                Chunk chunk = session.Layout[ordinal];
                Span<byte> bytes = buffer.AsSpan(0, chunk.ByteLength);
                int length = folding.Read(bytes, chunk.FileOffset);
                if (length != bytes.Length || Digest128.Of(bytes) != session.NewestDigest(ordinal))
                {
                    throw Unproven(shard, $"reads back other bytes at {chunk.FileOffset} than were written");
                }
            },
            cancellation
        );
    }

    private CheckpointException Unproven(Shard shard, string what) =>
        new(
            CheckpointError.VerificationFailed,
            $"{session.Paths.FoldingOf(shard.FileName)} {what}; {shard.FileName} was not touched",
            "look at the kernel log (dmesg) for the device, then run: apollo-checkpoint fold"
        );
}
