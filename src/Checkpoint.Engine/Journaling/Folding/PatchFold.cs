using System.IO.Hashing;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>
/// Folds a shard in place, touching only the pages that change and keeping its inode. In slices of whole chunks, each:
/// <code>
/// redo written · flushed · named · folder flushed     then and only then
/// its values written into the shard · shard flushed · every chunk of the slice read back and proven
/// </code>
/// The next slice's redo takes the place of the one before by a rename, so at any instant at most one slice is in doubt, and a durable
/// redo settles it. Chunks of the slices done already are of the newest version, the others of an older one; their digests tell.
/// </summary>
internal sealed class PatchFold(JournalSession session, CancellationToken cancellation) : IDisposable
{
    private readonly IChunkCodec codec = session.Options.Codec();
    private readonly byte[] before = new byte[session.Layout.LargestChunkBytes];
    private readonly byte[] after = new byte[session.Layout.LargestChunkBytes];
    private readonly List<(int Offset, int Length)> ranges = [];

    /// <summary>Patches one shard. The redo of its last slice stays until the caller has saved the digests.</summary>
    internal FoldedShard Run(Shard shard)
    {
        long written = 0;
        long pages = 0;
        using ShardFiles files = new(session.Disk, [shard]);
        files.ReadHeader(shard);
        IReadOnlyList<int> ordinals = session.UnfoldedOrdinals(shard);
        session.BeginPatch(shard);
        foreach (IReadOnlyList<int> slice in Slices(ordinals))
        {
            (long sliceBytes, long slicePages) = PatchSlice(shard, files, slice);
            written += sliceBytes;
            pages += slicePages;
        }

        return new FoldedShard(shard.FileName, FoldWay.Patch, written, pages);
    }

    /// <summary>Lets go of the codec.</summary>
    public void Dispose() => codec.Dispose();

    private (long Written, long Pages) PatchSlice(Shard shard, ShardFiles files, IReadOnlyList<int> slice)
    {
        long pages = 0;
        long written = 0;
        bool isSealed = false;
        // Nothing but the redo is written before its end, so meeting a full disk the step can be done again.
        Reserve.Run(session.Disk, session.Paths, () => (written, pages, isSealed) = WriteRedo(shard, files, slice));
        return isSealed ? (written + WriteSlice(shard, files), pages) : (written, pages);
    }

    private (long Written, long Pages, bool IsSealed) WriteRedo(Shard shard, ShardFiles files, IReadOnlyList<int> slice)
    {
        long pages = 0;
        using RedoWriter redo = RedoWriter.Create(session, shard, SliceBytes(slice));
        foreach (int ordinal in slice)
        {
            cancellation.ThrowIfCancellationRequested();
            pages += AddToRedo(redo, files, session.Layout[ordinal]);
            session.Options.Progress.Advance(session.Layout[ordinal].ByteLength);
        }

        if (redo.Count > 0)
        {
            redo.Seal(shard);
        }

        return (redo.BytesWritten, pages, redo.Count > 0);
    }

    private int AddToRedo(RedoWriter redo, ShardFiles files, in Chunk chunk)
    {
        Span<byte> old = files.Read(chunk, before);
        Span<byte> bytes = after.AsSpan(0, old.Length);
        old.CopyTo(bytes);
        if (!session.Chain.BringToNewest(chunk, bytes, session.NewestDigest(chunk.Ordinal), codec))
        {
            return 0;
        }

        int pages = DirtyPages.Find(old, bytes, chunk.FileOffset, ranges);
        redo.Add(chunk.Ordinal, session.NewestDigest(chunk.Ordinal), ranges, bytes);
        return pages;
    }

    /// <summary>From here on the slice is written whole: a cancelled, failed or crashed run leaves the redo to the next one.</summary>
    private long WriteSlice(Shard shard, ShardFiles files)
    {
        RedoReader redo =
            RedoReader.TryOpen(session.Disk, session.Paths.RedoOf(shard.FileName), session.Lineage, session.Layout, shard)
            ?? throw DeltaFormat.Damaged(session.Paths.RedoOf(shard.FileName), "does not read back as it was written");
        Dictionary<int, UInt128> promised = redo.Ordinals.ToDictionary(ordinal => ordinal, redo.DigestAfter);
        long written = session.WriteRedo(shard, redo);
        ChunkWorkers.Run(
            [.. promised.Keys],
            session.Options.Workers,
            () => new byte[session.Layout.LargestChunkBytes],
            (ordinal, buffer) =>
            {
                Chunk chunk = session.Layout[ordinal];
                if (XxHash128.HashToUInt128(files.Read(chunk, buffer)) != promised[ordinal])
                {
                    throw ForeignBytes.At(chunk);
                }
            },
            CancellationToken.None
        );
        return written;
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
