using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Recovering;

internal sealed partial class Recovery
{
    /// <summary>Writes, keeps or deletes what a patch left.</summary>
    /// <returns>The shards that had a redo: they may be of several versions.</returns>
    private List<Shard> SettleRedo(OpenedModel opened, bool isTableKnown)
    {
        List<Shard> touched = [];
        foreach (Shard shard in layout.Shards.Where(shard => disk.Stat(paths.RedoOf(shard.FileName)) is not null))
        {
            RedoReader? redo = RedoReader.TryOpen(disk, paths.RedoOf(shard.FileName), opened.Table.Lineage, layout, shard);
            bool isNewer = redo is not null && (!isTableKnown || redo.Version > opened.Table.Shards[layout.PlaceOf(shard)].Version);
            if (redo is null || !isNewer)
            {
                redo?.Dispose();
                DiscardRedo(shard);
                continue;
            }

            if (redo.Version > opened.Newest)
            {
                redo.Dispose();
                throw DeltaFormat.Damaged(paths.Delta(redo.Version), $"is missing: {shard.FileName} was being patched to it");
            }

            opened.PendingRedo[shard.FileName] = redo;
            touched.Add(shard);
        }

        ApplyRedo(opened, touched);
        return touched;
    }

    private void DiscardRedo(Shard shard)
    {
        if (!options.ReadOnly)
        {
            disk.Delete(paths.RedoOf(shard.FileName));
            disk.FlushFolder(paths.Redo);
        }
    }

    /// <summary>Needs the shards' lock; while a reader holds it, the redo stays and is laid over whatever is read.</summary>
    private void ApplyRedo(OpenedModel opened, List<Shard> touched)
    {
        if (options.ReadOnly || touched.Count == 0)
        {
            return;
        }

        using IDisposable? held = DirectoryLocks.TryTakeShards(disk, paths);
        if (held is null)
        {
            opened.Warnings.Add("a fold was interrupted and cannot be finished while a reader holds the shards still");
            return;
        }

        foreach (Shard shard in touched)
        {
            opened.ApplyRedo(disk, layout, shard, options.Workers);
            done.Add($"{shard.FileName} was being patched: what was in doubt was written again");
        }
    }
}
