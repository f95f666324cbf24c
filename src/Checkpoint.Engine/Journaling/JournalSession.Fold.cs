using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

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

    /// <summary>Writes a redo that a crash left into its shard. The caller holds the shards' lock.</summary>
    internal void ApplyPendingRedo(Shard shard)
    {
        if (opened.PendingRedo.Remove(shard.FileName, out RedoReader? redo))
        {
            using (redo)
            using (IDiskFile file = Disk.Open(shard.FilePath, writable: true))
            {
                redo.WriteInto(file, Layout, CancellationToken.None);
                file.Flush();
            }
        }
    }

    /// <summary>
    /// Records that shards hold the newest version now, durably, and only then lets go of their redo: digests, state, redo, in this
    /// order.
    /// </summary>
    internal void Settle(IReadOnlyList<Shard> shards)
    {
        foreach (Shard shard in shards)
        {
            (int first, int count) = Layout.ChunksOf(shard);
            newestDigests.AsSpan(first, count).CopyTo(Table.Digests.AsSpan(first));
            Table.Shards[shardPlaces[shard.FileName]] = (RecordOf(shard) with { Version = Newest }).WithLooks(ShardFiles.Look(Disk, shard));
            opened.Mixed.Remove(shard.FileName);
            opened.Damaged.ExceptWith(OrdinalsOf(shard));
        }

        Table.Save(Disk, Paths.Digests);
        opened.IsTableNew = false;
        SaveState();
        string[] redos = [.. shards.Select(shard => Paths.RedoOf(shard.FileName)).Where(path => Disk.Stat(path) is not null)];
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

        if (IsHalfFolded)
        {
            long before = FilesVersion;
            FoldReport report = Fold(FoldWay.Auto, cancellation);
            opened.Recovered.Add(
                report.Warning ?? $"a fold was interrupted: the files were brought from version {before} to {report.FilesVersion}"
            );
        }
        else if (opened.IsTableNew)
        {
            Table.Save(Disk, Paths.Digests);
            opened.IsTableNew = false;
            SaveState();
        }
    }
}
