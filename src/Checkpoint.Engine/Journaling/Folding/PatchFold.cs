using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>
/// Folds a shard in place, touching only the pages that change and keeping its inode. In slices of whole chunks, each:
/// <code>
/// redo written · flushed · named · folder flushed     then and only then
/// its values written into the shard · shard flushed · read back and proven
/// </code>
/// The next slice's redo takes the place of the one before by a rename, so at any instant at most one slice is in doubt, and a durable
/// redo settles it. Chunks of the slices done already are of the newest version, the others of an older one; their digests tell.
/// </summary>
internal sealed class PatchFold(JournalSession session, CancellationToken cancellation)
{
    /// <summary>Patches one shard. The redo of its last slice stays until the caller has saved the digests.</summary>
    internal FoldedShard Run(Shard shard)
    {
        long written = 0;
        long pages = 0;
        using ShardFiles files = new(session.Disk, [shard]);
        files.ReadHeader(shard);
        IReadOnlyList<int> ordinals = session.UnfoldedOrdinals(shard);
        long? version = session.IsMixed(shard) ? null : session.RecordOf(shard).Version;
        session.BeginPatch(shard);
        foreach (IReadOnlyList<int> slice in Slices(ordinals))
        {
            (long sliceBytes, long slicePages) = PatchSlice(shard, files, version, slice);
            written += sliceBytes;
            pages += slicePages;
        }

        return new FoldedShard(shard.FileName, FoldWay.Patch, written, pages);
    }

    private (long Written, long Pages) PatchSlice(Shard shard, ShardFiles files, long? version, IReadOnlyList<int> slice)
    {
        long pages = 0;
        long written = 0;
        bool isSealed = false;
        // Nothing but the redo is written before its end, so meeting a full disk the step can be done again.
        Reserve.Run(session.Disk, session.Paths, () => (written, pages, isSealed) = WriteRedo(shard, files, version, slice));
        return isSealed ? (written + WriteSlice(shard), pages) : (written, pages);
    }

    private (long Written, long Pages, bool IsSealed) WriteRedo(Shard shard, ShardFiles files, long? version, IReadOnlyList<int> slice)
    {
        long pages = 0;
        using RedoWriter redo = RedoWriter.Create(session, shard, SliceBytes(slice));
        ChunkWorkers.RunInOrder(
            slice,
            session.Options.Workers,
            () => new FoldWorker(session),
            (ordinal, worker) => BringForward(files, session.Layout[ordinal], version, worker),
            (ordinal, worker) =>
            {
                if (worker.Pages > 0)
                {
                    redo.Add(ordinal, session.NewestDigest(ordinal), worker.Ranges, worker.After);
                    pages += worker.Pages;
                }

                session.Options.Progress.Advance(session.Layout[ordinal].ByteLength);
            },
            cancellation
        );
        if (redo.Count > 0)
        {
            redo.Seal(shard);
        }

        return (redo.BytesWritten, pages, redo.Count > 0);
    }

    /// <param name="files">The shard.</param>
    /// <param name="chunk">A chunk of it.</param>
    /// <param name="version">The version of all its chunks, or null when their digests must tell.</param>
    /// <param name="worker">Receives both sides, and where they differ.</param>
    private void BringForward(ShardFiles files, in Chunk chunk, long? version, FoldWorker worker)
    {
        Span<byte> old = files.Read(chunk, worker.Before);
        Span<byte> bytes = worker.After.AsSpan(0, old.Length);
        UInt128 newest = session.NewestDigest(chunk.Ordinal);
        if (version is not long known || !session.Chain.TryBringFrom(chunk, old, known, bytes, newest, worker.Codec))
        {
            old.CopyTo(bytes);
            session.Chain.BringToNewest(chunk, bytes, newest, worker.Codec);
        }

        worker.Pages = DirtyPages.Find(old, bytes, chunk.FileOffset, worker.Ranges);
    }

    /// <summary>From here on the slice is written whole: a cancelled, failed or crashed run leaves the redo to the next one.</summary>
    private long WriteSlice(Shard shard)
    {
        RedoReader redo =
            RedoReader.TryOpen(session.Disk, session.Paths.RedoOf(shard.FileName), session.Lineage, session.Layout, shard)
            ?? throw DeltaFormat.Damaged(session.Paths.RedoOf(shard.FileName), "does not read back as it was written");
        RedoApplication application = session.ApplyRedo(shard, redo);
        return application.Foreign is [int first, ..] ? throw ForeignBytes.At(session.Layout[first]) : application.BytesWritten;
    }

    /// <summary>Cuts the chunks so that a redo of all their bytes keeps within the bound, one chunk at least.</summary>
    private IEnumerable<IReadOnlyList<int>> Slices(IReadOnlyList<int> ordinals)
    {
        long bound = Math.Min(session.Options.RedoSliceBytes, session.Disk.AvailableBytes(session.Paths.Redo) / 2);
        List<int> slice = [];
        foreach (int ordinal in ordinals)
        {
            slice.Add(ordinal);
            if (SliceBytes(slice) + ChunkLayout.MaxBytes > bound)
            {
                yield return slice;
                slice = [];
            }
        }

        if (slice.Count > 0)
        {
            yield return slice;
        }
    }

    private long SliceBytes(IReadOnlyList<int> slice) =>
        RedoFormat.OverheadBytes + slice.Sum(ordinal => (long)session.Layout[ordinal].ByteLength + DirtyPages.PageBytes);
}
