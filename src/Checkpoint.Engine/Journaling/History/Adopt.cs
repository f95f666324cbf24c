using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>
/// Begins a new history from the files as they are: something else changed them on purpose, or the old history is damaged for good.
/// Recovers first; never deletes the old journal. Its order:
/// <code>
/// 1  recover, if that can be done     a shard that is half patched is finished, not adopted
/// 2  measure all files                nothing is written
/// 3  digests.bin of the new history   durable: this is the adoption; before it, nothing happened
/// 4  the old journal moved aside      by recovery, if a crash comes between (<see cref="OldJournal"/>)
/// 5  state.json
/// </code>
/// </summary>
internal static class Adopt
{
    private static readonly CheckpointError[] Tolerated =
    [
        CheckpointError.ShardForeign,
        CheckpointError.JournalDamaged,
        CheckpointError.JournalForeign,
        CheckpointError.JournalTooNew,
    ];

    /// <summary>Adopts.</summary>
    /// <exception cref="CheckpointException">Locked, FileSystemUnfit, ShardChangedMeanwhile, DiskReadFailed, 15xx.</exception>
    internal static AdoptReport Run(IDisk disk, ModelDirectory model, JournalOptions options, CancellationToken cancellation)
    {
        StatePaths paths = new(model.Path);
        if (disk.Stat(paths.Folder) is null)
        {
            // There is no history to leave: opening begins one.
            return Open(disk, model, options, Nothing, cancellation);
        }

        AdoptReport report = Recover(disk, model, options, cancellation);
        StateFolder.Prepare(disk, paths, options.AllowUnfitFileSystem);
        using (DirectoryLocks.TakeWriter(disk, paths))
        {
            DigestTable table = FirstVersion.Measure(disk, model.Layout, options.Lineage(), NextNumber(disk, paths), options, cancellation);
            cancellation.ThrowIfCancellationRequested();
            Reserve.Run(disk, paths, () => table.Save(disk, paths.Digests));
            string? moved = OldJournal.MoveAside(disk, paths, table.Shards[0].Version);
            report = report with { OldJournal = moved };
        }

        return Open(disk, model, options, report, cancellation);
    }

    private static AdoptReport Nothing { get; } =
        new()
        {
            Version = 0,
            Lineage = "",
            Root = "",
        };

    private static AdoptReport Open(
        IDisk disk,
        ModelDirectory model,
        JournalOptions options,
        AdoptReport report,
        CancellationToken cancellation
    )
    {
        using JournalSession session = JournalSession.Open(disk, model, options, cancellation);
        return report with { Version = session.Newest, Lineage = session.Lineage.ToString(), Root = session.Root.ToString() };
    }

    private static AdoptReport Recover(IDisk disk, ModelDirectory model, JournalOptions options, CancellationToken cancellation)
    {
        try
        {
            using JournalSession session = JournalSession.Open(disk, model, options with { Repair = true }, cancellation);
            return Nothing with
            {
                Recovered = session.Recovered,
                NotFolded = [.. session.Journal.Versions.Select(header => header.Version).Where(version => version > session.FilesVersion)],
            };
        }
        catch (CheckpointException e) when (Tolerated.Contains(e.Error))
        {
            return Nothing with { NotRecovered = e.Message };
        }
    }

    /// <summary>One more than any number that the old history may have used, whatever of it can still be read.</summary>
    private static long NextNumber(IDisk disk, StatePaths paths)
    {
        long journal = disk.List(paths.Journal).Select(StatePaths.VersionOf).Max() ?? 0;
        long state = ModelState.TryRead(disk, paths.State)?.Newest ?? 0;
        long files = DigestTable.TryRead(disk, paths.Digests)?.Shards.Max(shard => shard.Version) ?? 0;
        return Math.Max(journal, Math.Max(state, files)) + 1;
    }
}
