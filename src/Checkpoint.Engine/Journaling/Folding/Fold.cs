using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>
/// Brings the shards up to the newest version; used by a sync and by recovery, and idempotent, so that neither needs to know how far
/// another came. Invariants 2, 4, 9: shards are only written under <c>shards.lock</c>, never through a link, never in length, header or
/// outside of chunks; a shard that cannot be folded now (held, no space) leaves the version as it is, for later.
/// </summary>
internal sealed class Fold(JournalSession session, FoldWay way, CancellationToken cancellation)
{
    private const int Samples = 8;
    private readonly List<FoldedShard> folded = [];

    /// <summary>Folds what needs it. Digests and state are saved, also when a part is left for later.</summary>
    internal FoldReport Run()
    {
        Shard[] stale = [.. session.Layout.Shards.Where(session.NeedsFold)];
        RefuseLinks(stale);
        string? warning = stale.Length == 0 ? null : FoldUnderLock(stale);
        if (warning is null)
        {
            session.SettleAll();
        }

        return new FoldReport(session.FilesVersion, folded, warning);
    }

    private void RefuseLinks(Shard[] stale)
    {
        Shard? linked = session.Options.ReplaceLinks ? null : Array.Find(stale, shard => shard.LinkProblem is not null);
        if (linked is not null)
        {
            throw LinkedShards.Refused(linked);
        }
    }

    private string? FoldUnderLock(Shard[] stale)
    {
        using IDisposable? held = DirectoryLocks.TryTakeShards(session.Disk, session.Paths);
        if (held is null)
        {
            return $"version {session.Newest} kept, files at {session.FilesVersion}: a reader holds the shards still";
        }

        session.Options.Progress.Begin("fold", stale.Sum(shard => shard.Length));
        try
        {
            FoldAll(stale);
            return null;
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.DiskFull)
        {
            // The version is safe in the journal; folding it can wait for space.
            return $"version {session.Newest} kept, files at {session.FilesVersion}: {e.Message}";
        }
        finally
        {
            session.Options.Progress.End();
        }
    }

    private void FoldAll(Shard[] stale)
    {
        foreach (Shard shard in stale)
        {
            session.WritePendingRedo(shard);
        }

        ILookup<FoldWay, Shard> ways = stale.ToLookup(Choose);
        foreach (List<Shard> batch in Batches(ways[FoldWay.Replace]))
        {
            folded.AddRange(new ReplaceFold(session, cancellation).Run(batch));
            session.Settle(batch);
        }

        using PatchFold patch = new(session, cancellation);
        foreach (Shard shard in ways[FoldWay.Patch])
        {
            folded.Add(FoldSpan.Around(shard, patch.Run));
            session.Settle([shard]);
        }
    }

    /// <summary>As many replacements at once as there is space for, so that they are renamed together; at least one.</summary>
    private List<List<Shard>> Batches(IEnumerable<Shard> shards)
    {
        long available = session.Disk.AvailableBytes(session.Paths.Model);
        List<List<Shard>> batches = [];
        long size = long.MaxValue;
        foreach (Shard shard in shards)
        {
            size += size == long.MaxValue ? 0 : shard.Length;
            if (size > available)
            {
                batches.Add([]);
                size = shard.Length;
            }

            batches[^1].Add(shard);
        }

        return batches;
    }

    /// <summary>Patching writes a dirty page twice (redo and shard), replacing writes every page once, and needs the space.</summary>
    private FoldWay Choose(Shard shard)
    {
        if (shard.LinkProblem is not null)
        {
            return FoldWay.Replace;
        }

        if (way != FoldWay.Auto)
        {
            return way;
        }

        bool hasSpace = session.Disk.AvailableBytes(session.Paths.Model) > shard.Length;
        return hasSpace && 2 * EstimateDirtyBytes(shard) > shard.Length ? FoldWay.Replace : FoldWay.Patch;
    }

    /// <summary>How much a patch would write: known where the scan kept it, else estimated from a few of the changed chunks.</summary>
    private long EstimateDirtyBytes(Shard shard)
    {
        if (session.FreshPagesOf(shard) is { } fresh)
        {
            return fresh.Sum(chunk => (long)chunk.Values.Length);
        }

        IReadOnlyList<int> ordinals = session.UnfoldedOrdinals(shard);
        using ShardFiles files = new(session.Disk, [shard]);
        using FoldWorker worker = new(session);
        long dirty = 0;
        long seen = 0;
        int step = Math.Max(1, ordinals.Count / Samples);
        for (int i = 0; i < ordinals.Count; i += step)
        {
            Chunk chunk = session.Layout[ordinals[i]];
            Span<byte> old = files.Read(chunk, worker.Before);
            Span<byte> bytes = worker.After.AsSpan(0, old.Length);
            old.CopyTo(bytes);
            session.Chain.BringToNewest(chunk, bytes, session.NewestDigest(chunk.Ordinal), worker.Codec);
            DirtyPages.Find(old, bytes, chunk.FileOffset, worker.Ranges);
            dirty += worker.Ranges.Sum(range => (long)range.Length);
            seen += chunk.ByteLength;
        }

        long changed = ordinals.Sum(ordinal => (long)session.Layout[ordinal].ByteLength);
        return seen == 0 ? 0 : (long)((double)dirty / seen * changed);
    }
}
