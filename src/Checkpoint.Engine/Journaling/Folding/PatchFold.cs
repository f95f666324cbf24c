using System.Collections.Concurrent;
using ApolloCheckpoint.Engine.Diffing;
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
internal sealed class PatchFold(JournalSession session, CancellationToken cancellation) : IDisposable
{
    // A worker is 20 MB of fresh pages, which cost more than the work of a group; so they go from group to group.
    private readonly ConcurrentBag<FoldWorker> idle = [];

    /// <summary>Patches one shard. The redo of its last slice stays until the caller has saved the digests.</summary>
    internal FoldedShard Run(Shard shard)
    {
        long written = 0;
        long pages = 0;
        using ShardFiles files = new(session.Disk, [shard]);
        files.ReadHeader(shard);
        if (session.FreshPagesOf(shard) is { } fresh && BytesOf(fresh) <= SliceBound())
        {
            session.BeginPatch(shard);
            return new FoldedShard(shard.FileName, FoldWay.Patch, WriteFresh(shard, fresh), fresh.Sum(chunk => (long)chunk.Pages));
        }

        IReadOnlyList<int> ordinals = session.UnfoldedOrdinals(shard);
        long? version = session.IsMixed(shard) ? null : session.RecordOf(shard).Version;
        session.BeginPatch(shard);
        for (Queue<IReadOnlyList<int>> groups = new(Groups(ordinals)); groups.Count > 0; )
        {
            (long sliceBytes, long slicePages) = PatchSlice(shard, files, version, groups);
            written += sliceBytes;
            pages += slicePages;
        }

        return new FoldedShard(shard.FileName, FoldWay.Patch, written, pages);
    }

    /// <summary>Lets go of the workers.</summary>
    public void Dispose()
    {
        foreach (FoldWorker worker in idle)
        {
            worker.Dispose();
        }
    }

    /// <summary>All in one slice: the scan has seen what changes, so nothing is read for the redo.</summary>
    /// <returns>Bytes written.</returns>
    private long WriteFresh(Shard shard, IReadOnlyList<FreshChunk> chunks)
    {
        long written = 0;
        Reserve.Run(
            session.Disk,
            session.Paths,
            () =>
            {
                using RedoWriter redo = RedoWriter.Create(session, shard, BytesOf(chunks));
                foreach (FreshChunk chunk in chunks)
                {
                    cancellation.ThrowIfCancellationRequested();
                    redo.Add(chunk, session.NewestDigest(chunk.Ordinal));
                    session.Options.Progress.Advance(session.Layout[chunk.Ordinal].ByteLength);
                }

                redo.Seal(shard);
                written = redo.BytesWritten;
            }
        );
        return written + WriteSlice(shard);
    }

    /// <summary>Takes as many groups off the queue as one redo has room for.</summary>
    private (long Written, long Pages) PatchSlice(Shard shard, ShardFiles files, long? version, Queue<IReadOnlyList<int>> groups)
    {
        long pages = 0;
        long written = 0;
        bool isSealed = false;
        int taken = 0;
        // Nothing but the redo is written before its end, so meeting a full disk the step can be done again.
        Reserve.Run(session.Disk, session.Paths, () => (taken, written, pages, isSealed) = WriteRedo(shard, files, version, [.. groups]));
        for (; taken > 0; taken--)
        {
            groups.Dequeue();
        }

        return isSealed ? (written + WriteSlice(shard), pages) : (written, pages);
    }

    private (int Groups, long Written, long Pages, bool IsSealed) WriteRedo(
        Shard shard,
        ShardFiles files,
        long? version,
        IReadOnlyList<IReadOnlyList<int>> groups
    )
    {
        long bound = SliceBound();
        long pages = 0;
        int taken = 0;
        long most = groups.Sum(GroupBytes);
        using RedoWriter redo = RedoWriter.Create(session, shard, Math.Min(most, Math.Max(bound, GroupBytes(groups[0]))));
        // The first group always; each further one that fits even if all of its pages are dirty. Where few are, that is a whole shard.
        do
        {
            pages += WriteGroup(redo, files, version, groups[taken++]);
        } while (taken < groups.Count && redo.BytesWritten + GroupBytes(groups[taken]) <= bound);
        if (redo.Count > 0)
        {
            redo.Seal(shard);
        }

        return (taken, redo.BytesWritten, pages, redo.Count > 0);
    }

    private long WriteGroup(RedoWriter redo, ShardFiles files, long? version, IReadOnlyList<int> group)
    {
        long pages = 0;
        ChunkWorkers.RunInOrder(
            group,
            session.Options.Workers,
            () => new Borrowed(idle, idle.TryTake(out FoldWorker? used) ? used : new FoldWorker(session)),
            (ordinal, borrowed) => BringForward(files, session.Layout[ordinal], version, borrowed.Worker),
            (ordinal, borrowed) =>
            {
                FoldWorker worker = borrowed.Worker;
                if (worker.Pages > 0)
                {
                    redo.Add(ordinal, session.NewestDigest(ordinal), worker.Ranges, worker.After);
                    pages += worker.Pages;
                }

                session.Options.Progress.Advance(session.Layout[ordinal].ByteLength);
            },
            cancellation
        );
        return pages;
    }

    /// <param name="files">The shard.</param>
    /// <param name="chunk">A chunk of it.</param>
    /// <param name="version">The version of all its chunks, or null when their digests must tell.</param>
    /// <param name="worker">Receives both sides, and where they differ.</param>
    private void BringForward(ShardFiles files, in Chunk chunk, long? version, FoldWorker worker)
    {
        Span<byte> old = files.Read(chunk, worker.Before);
        Span<byte> bytes = worker.After.AsSpan(0, old.Length);
        Digest128 newest = session.NewestDigest(chunk.Ordinal);
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

    private long SliceBound() => Math.Min(session.Options.RedoSliceBytes, session.Disk.AvailableBytes(session.Paths.Redo) / 2);

    /// <summary>Cuts the chunks so that a redo of all bytes of two groups keeps within the bound, one chunk at least.</summary>
    private IEnumerable<IReadOnlyList<int>> Groups(IReadOnlyList<int> ordinals)
    {
        long bound = SliceBound() / 2;
        List<int> group = [];
        foreach (int ordinal in ordinals)
        {
            group.Add(ordinal);
            if (GroupBytes(group) + ChunkLayout.MaxBytes > bound)
            {
                yield return group;
                group = [];
            }
        }

        if (group.Count > 0)
        {
            yield return group;
        }
    }

    /// <summary>Bytes of a redo of these pages, and a little more.</summary>
    private static long BytesOf(IReadOnlyList<FreshChunk> chunks) =>
        RedoFormat.OverheadBytes
        + chunks.Sum(chunk => RedoFormat.RecordHeadBytes + (long)chunk.Values.Length + chunk.Ranges.Count * RedoFormat.RangeBytes);

    /// <summary>Bytes of a redo that holds all bytes of the chunks.</summary>
    private long GroupBytes(IReadOnlyList<int> group) =>
        RedoFormat.OverheadBytes + group.Sum(ordinal => (long)session.Layout[ordinal].ByteLength + DirtyPages.PageBytes);

    /// <summary>A worker for the time of one group.</summary>
    private sealed class Borrowed(ConcurrentBag<FoldWorker> home, FoldWorker worker) : IDisposable
    {
        internal FoldWorker Worker { get; } = worker;

        public void Dispose() => home.Add(Worker);
    }
}
