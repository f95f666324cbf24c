using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling;

internal sealed partial class JournalSession
{
    /// <summary>Brings the shards up to the newest version, and saves digests and state.</summary>
    /// <returns>What was done; its warning says why a part was left for later, which is no failure.</returns>
    /// <exception cref="CheckpointException">
    /// ShardLinked; ShardForeign; JournalDamaged; 15xx. The version exists in any case, and the next command folds again.
    /// </exception>
    internal FoldReport Fold(FoldWay way, CancellationToken cancellation) => new Fold(this, way, cancellation).Run();

    /// <summary>Whether a shard holds older bytes than the newest version's, or a mix.</summary>
    internal bool NeedsFold(Shard shard) => IsMixed(shard) || HeightOf(shard) < Newest;

    /// <summary>All chunks of a shard.</summary>
    internal IReadOnlyList<int> OrdinalsOf(Shard shard)
    {
        (int first, int count) = Layout.ChunksOf(shard);
        return [.. Enumerable.Range(first, count)];
    }

    /// <summary>The chunks of a shard that may be of an older version: of a mixed shard, all.</summary>
    internal IReadOnlyList<int> UnfoldedOrdinals(Shard shard)
    {
        long version = RecordOf(shard).Version;
        bool isMixed = IsMixed(shard);
        return [.. OrdinalsOf(shard).Where(ordinal => isMixed || Chain.Touches(ordinal, version))];
    }

    /// <summary>
    /// The pages that lead a shard to the newest version, by ascending ordinal: when this session's scan saw them all, and the shard is of
    /// the version just before. Else null, and a fold finds them from shard and deltas.
    /// </summary>
    internal IReadOnlyList<FreshChunk>? FreshPagesOf(Shard shard) =>
        IsMixed(shard) || RecordOf(shard).Version != Newest - 1 ? null : freshPages?.TryFind(UnfoldedOrdinals(shard));

    /// <summary>Writes a redo that a crash left into its shard. The caller holds the shards' lock.</summary>
    internal void WritePendingRedo(Shard shard)
    {
        if (opened.PendingRedo.ContainsKey(shard.FileName))
        {
            opened.ApplyRedo(Disk, Layout, shard, Options.Workers);
        }
    }

    /// <summary>From now on the shard's chunks may be of several versions, until it is settled.</summary>
    internal void BeginPatch(Shard shard) => opened.Mixed.Add(shard.FileName);

    /// <summary>Writes a redo that was just made durable. Should that fail, it stays pending, here and on disk.</summary>
    internal RedoApplication ApplyRedo(Shard shard, RedoReader redo)
    {
        opened.PendingRedo[shard.FileName] = redo;
        return opened.ApplyRedo(Disk, Layout, shard, Options.Workers);
    }

    /// <summary>Records that shards were written and hold the newest version now, durably; then lets go of their redo.</summary>
    internal void Settle(IReadOnlyList<Shard> written)
    {
        foreach (Shard shard in written)
        {
            Raise(shard);
            ref ShardRecord record = ref Table.Shards[Layout.PlaceOf(shard)];
            record = record.WithLooks(ShardFiles.Look(Disk, shard));
            opened.Mixed.Remove(shard.FileName);
            opened.Damaged.ExceptWith(OrdinalsOf(shard));
        }

        SaveTable();
    }

    /// <summary>Records that all shards hold the newest version: those that were written, and those that no delta changed.</summary>
    internal void SettleAll()
    {
        if (opened.IsTableNew || Table.Shards.Any(record => record.Version != Newest))
        {
            foreach (Shard shard in Layout.Shards)
            {
                Raise(shard);
            }

            SaveTable();
        }
    }

    /// <summary>
    /// Digests first, state after them, redo last: that of shards which are whole, as the digests now durably say.
    /// </summary>
    private void SaveTable()
    {
        Reserve.Run(Disk, Paths, () => Table.Save(Disk, Paths.Digests));
        opened.IsTableNew = false;
        SaveState();
        DeleteRedo();
    }

    /// <summary>The looks stay as they were: something else may have written to a shard that was not folded.</summary>
    private void Raise(Shard shard)
    {
        (int first, int count) = Layout.ChunksOf(shard);
        newestDigests.AsSpan(first, count).CopyTo(Table.Digests.AsSpan(first));
        ref ShardRecord record = ref Table.Shards[Layout.PlaceOf(shard)];
        record = record with { Version = Newest };
    }

    private void DeleteRedo()
    {
        string[] redos =
        [
            .. Layout
                .Shards.Where(shard => !IsMixed(shard) && !opened.PendingRedo.ContainsKey(shard.FileName))
                .Select(shard => Paths.RedoOf(shard.FileName))
                .Where(path => Disk.Stat(path) is not null),
        ];
        foreach (string redo in redos)
        {
            Disk.Delete(redo);
        }

        if (redos.Length > 0)
        {
            Disk.FlushFolder(Paths.Redo);
        }
    }

    /// <summary>What is left of recovery once the newest version is known.</summary>
    private void FinishRecovery(CancellationToken cancellation)
    {
        if (Options.ReadOnly)
        {
            return;
        }

        if (IsHalfFolded && opened.Damaged.Count == 0)
        {
            FoldReport report = Fold(FoldWay.Auto, cancellation);
            opened.Recovered.Add(report.Warning ?? $"a fold was interrupted: all files were brought to version {report.FilesVersion}");
        }
        else if (opened.IsTableNew)
        {
            SaveTable();
        }
        else if (opened.State != State)
        {
            SaveState();
        }

        Reserve.TryKeep(Disk, Paths, Layout);
    }
}
