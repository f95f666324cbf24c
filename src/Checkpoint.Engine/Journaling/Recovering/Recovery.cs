using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Recovering;

/// <summary>
/// Understands what a directory was left as, and brings it to one version; under the directory's lock only. docs/recovery.md is its
/// table, row by row. Its order:
/// <code>
/// 1  flush the folders              a name that is only in memory is not believed
/// 2  state, digests, journal        what cannot be right ends here, before anything was touched (exit 10 or 14)
/// 3  delete what was being written  .writing.delta, *.folding, temporary files
/// 4  redo                           written again as a whole when it is newer than its shard, else deleted
/// 5  look at shards                 those whose looks changed, or all where the digests are gone, are read and identified
/// </code>
/// The half-folded model is folded by the session, which then knows the newest version. A read-only run does 2 and 5 and lays redo
/// over what it reads.
/// </summary>
internal sealed partial class Recovery
{
    private readonly IDisk disk;
    private readonly ModelLayout layout;
    private readonly StatePaths paths;
    private readonly JournalOptions options;
    private readonly CancellationToken cancellation;
    private readonly List<string> done = [];

    private Recovery(IDisk disk, ModelLayout layout, StatePaths paths, JournalOptions options, CancellationToken cancellation)
    {
        this.disk = disk;
        this.layout = layout;
        this.paths = paths;
        this.options = options;
        this.cancellation = cancellation;
    }

    /// <summary>Recovers a directory.</summary>
    /// <exception cref="CheckpointException">
    /// JournalDamaged, JournalForeign, JournalTooNew, ShardForeign (unless repairing): as found. 15xx, DiskReadFailed.
    /// </exception>
    internal static OpenedModel Run(
        IDisk disk,
        ModelLayout layout,
        StatePaths paths,
        JournalOptions options,
        CancellationToken cancellation
    ) => new Recovery(disk, layout, paths, options, cancellation).Run();

    private OpenedModel Run()
    {
        if (!options.ReadOnly)
        {
            FlushFolders();
        }

        ModelState? state = ModelState.TryRead(disk, paths.State);
        DigestTable? table = DigestTable.TryRead(disk, paths.Digests);
        CheckLayout(table);
        Journal journal = Journal.Open(disk, paths, layout, FinishAdopt(table, state));
        CheckChain(journal, table, state);
        if (!options.ReadOnly)
        {
            Sweep(journal);
        }

        bool hasRedo = layout.Shards.Any(shard => disk.Stat(paths.RedoOf(shard.FileName)) is not null);
        OpenedModel opened = table is null && journal.Last is null && !hasRedo ? Begin(journal, state) : Continue(journal, table, state);
        opened.Recovered.InsertRange(0, done);
        Note(opened);
        return opened;
    }

    private void FlushFolders()
    {
        foreach (string folder in new[] { paths.Journal, paths.Redo, paths.Folder, paths.Model })
        {
            disk.FlushFolder(folder);
        }
    }

    /// <summary>
    /// An adopt is done once the digests of the new history are durable; the old journal may still stand where it was. Nothing of it
    /// belongs to the new history, whose numbers are all higher.
    /// </summary>
    /// <returns>The number below which no delta counts.</returns>
    private long FinishAdopt(DigestTable? table, ModelState? state)
    {
        if (table is null || !OldJournal.IsLeftBehind(disk, paths, table, state))
        {
            return state?.Oldest ?? 0;
        }

        long first = table.Shards.Min(shard => shard.Version);
        if (!options.ReadOnly)
        {
            string? moved = OldJournal.MoveAside(disk, paths, first);
            done.Add($"an adopt was interrupted: the journal of the history before is now {moved}");
        }

        return first + 1;
    }

    private void Sweep(Journal journal)
    {
        if (TryDelete(paths.WritingDelta))
        {
            done.Add("an unfinished version was discarded: a sync was interrupted before its commit");
        }

        _ = TryDelete(paths.WritingRedo);
        _ = TryDelete(paths.State + AtomicFile.WritingSuffix);
        _ = TryDelete(paths.Digests + AtomicFile.WritingSuffix);
        if (ReplaceFold.Sweep(disk, paths, layout.Shards) > 0)
        {
            done.Add("unfinished replacements of shards were deleted: a fold was interrupted");
        }

        foreach (long version in journal.Leftovers)
        {
            _ = TryDelete(paths.Delta(version));
        }
    }

    private bool TryDelete(string path)
    {
        bool exists = disk.Stat(path) is not null;
        if (exists)
        {
            disk.Delete(path);
        }

        return exists;
    }

    /// <summary>The first sync: the files as they are, whatever they are. A number that state.json still knows is not used again.</summary>
    private OpenedModel Begin(Journal journal, ModelState? state) =>
        new()
        {
            Journal = journal,
            Table = FirstVersion.Measure(disk, layout, options.Lineage(), state?.Newest + 1 ?? 0, options, cancellation),
            State = state,
            IsFirst = true,
            IsTableNew = true,
        };

    private OpenedModel Continue(Journal journal, DigestTable? table, ModelState? state)
    {
        Digest128[]? newest = table is null ? null : RollForward(journal, table);
        if (newest is null || table is null)
        {
            done.Add("the digests were missing or unreadable: all shards were read and identified by the journal");
        }

        OpenedModel opened = new()
        {
            Journal = journal,
            Table = newest is null || table is null ? BlankTable(journal, table) : table,
            State = state,
        };
        HashSet<Shard> suspects = [.. newest is null ? layout.Shards : layout.Shards.Where(shard => LooksChanged(opened, shard))];
        suspects.UnionWith(SettleRedo(opened, isTableKnown: newest is not null));
        if (suspects.Count > 0)
        {
            ShardIdentity.Find(disk, layout, opened, [.. layout.Shards.Where(suspects.Contains)], newest, options, cancellation);
            RefuseForeign(opened, isRebuilt: newest is null);
        }

        return opened;
    }

    private Digest128[]? RollForward(Journal journal, DigestTable table)
    {
        using DeltaChain chain = new(journal, table.Shards.Min(shard => shard.Version));
        return NewestDigests.TryRoll(layout, table, chain.Deltas, journal.Last?.Root);
    }

    private DigestTable BlankTable(Journal journal, DigestTable? table) =>
        new(
            journal.Last?.Lineage ?? table?.Lineage ?? options.Lineage(),
            layout.Identity,
            [.. layout.Shards.Select(shard => new ShardRecord(shard.FileName, shard.Header.Digest, journal.Last?.Version ?? 0, 0, 0, 0))],
            new Digest128[layout.ChunkCount]
        );

    private bool LooksChanged(OpenedModel opened, Shard shard) =>
        !opened.Table.Shards[layout.PlaceOf(shard)].LooksLike(ShardFiles.Look(disk, shard));

    private void RefuseForeign(OpenedModel opened, bool isRebuilt)
    {
        // Without digests the root alone vouches for the chunks that no delta changed; it cannot say which of them is wrong.
        if (isRebuilt && RollForward(opened.Journal, opened.Table) is null)
        {
            throw ForeignBytes.Shard(
                layout.Shards[0].FileName,
                "it, or another shard, holds bytes that no version held, in a chunk that no delta changed"
            );
        }

        if (opened.Damaged.Count > 0 && !options.Repair)
        {
            throw ForeignBytes.At(layout[opened.Damaged.Min()]);
        }
    }

    private static void Note(OpenedModel opened)
    {
        if (opened.State is { } state && opened.Newest > state.Newest && !opened.IsFirst)
        {
            opened.Recovered.Add($"version {opened.Newest} was committed when the run that made it was interrupted: it is the newest");
        }

        if (opened.State is { } before && opened.Journal.First is { } first && first.Version > before.Oldest)
        {
            opened.Warnings.Add($"versions {before.Oldest} to {first.Parent} are missing from the journal: nothing can go back to them");
        }
    }
}
