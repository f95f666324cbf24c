using ApolloCheckpoint.Engine.Journaling.Baselines;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling;

/// <summary>
/// A model directory opened under its lock: recovered, its newest version known chunk by chunk. Call order of a sync:
/// <code>
/// Open                      lock, recovery, at the first time version 0
/// OpenBaseline, BeginDelta  compare and append; dispose the baseline before a fold
/// Commit                    the version exists (invariant 1), or nothing happened; no changes: abandon the writer instead
/// Fold                      bring the shards up to it, and save digests and state; or SaveState when the fold is left for later
/// Dispose                   lets go of the lock
/// </code>
/// Its members are for one thread, except those that <see cref="Baseline"/> uses.
/// </summary>
internal sealed partial class JournalSession : IDisposable
{
    private readonly OpenedModel opened;
    private readonly IDisposable? heldLock;
    private readonly Digest128[] newestDigests;

    // What recovery read, which is durable: its folder was flushed before.
    private ModelState? savedState;

    // Of the newest version, if this session made it.
    private FreshPages? freshPages;

    private JournalSession(IDisk disk, ModelDirectory model, JournalOptions options, OpenedModel opened, IDisposable? heldLock)
    {
        Disk = disk;
        Layout = model.Layout;
        Paths = new StatePaths(model.Path);
        Options = options;
        this.opened = opened;
        this.heldLock = heldLock;
        Newest = opened.Newest;
        Chain = new DeltaChain(Journal, opened.Table.Shards.Min(shard => shard.Version));
        newestDigests = NewestDigests.Roll(Layout, opened.Table, Chain.Deltas, Journal.Last?.Root);
        Root = ModelRoot.Of(newestDigests);
        savedState = opened.State;
        State = Describe(opened.State);
    }

    /// <summary>The disk.</summary>
    internal IDisk Disk { get; }

    /// <summary>The model's chunks.</summary>
    internal ModelLayout Layout { get; }

    /// <summary>Our names in the directory.</summary>
    internal StatePaths Paths { get; }

    /// <summary>What it was opened with.</summary>
    internal JournalOptions Options { get; }

    /// <summary>The versions there are.</summary>
    internal Journal Journal => opened.Journal;

    /// <summary>What the shards hold.</summary>
    internal DigestTable Table => opened.Table;

    /// <summary>The deltas above the shards.</summary>
    internal DeltaChain Chain { get; }

    /// <summary>state.json as <see cref="SaveState"/> would write it.</summary>
    internal ModelState State { get; private set; }

    /// <summary>The history.</summary>
    internal Digest128 Lineage => Table.Lineage;

    /// <summary>The newest version's number.</summary>
    internal long Newest { get; private set; }

    /// <summary>The newest version's root.</summary>
    internal Digest128 Root { get; private set; }

    /// <summary>Whether the history began with this session.</summary>
    internal bool IsFirst => opened.IsFirst;

    /// <summary>What recovery did, a sentence each.</summary>
    internal IReadOnlyList<string> Recovered => opened.Recovered;

    /// <summary>What the user should know, a sentence each.</summary>
    internal List<string> Warnings => opened.Warnings;

    /// <summary>The version that the files hold, all of them; while a fold is unfinished, the oldest that one of them holds.</summary>
    internal long FilesVersion => Layout.Shards.Min(HeightOf);

    /// <summary>
    /// Whether the files are a mix of versions, which only an interrupted fold leaves. Shards of different numbers are no mix when no
    /// delta between the numbers changes them.
    /// </summary>
    internal bool IsHalfFolded => opened.Mixed.Count > 0 || Layout.Shards.Max(DepthOf) > FilesVersion;

    /// <summary>Chunks that hold bytes of no version; a sync refuses them unless it repairs.</summary>
    internal IReadOnlySet<int> Damaged => opened.Damaged;

    /// <summary>Keeps the newest version ready between folds, or null when that was not asked.</summary>
    internal BaselineCache? Ready { get; private set; }

    /// <summary>Opens and recovers a model directory.</summary>
    /// <exception cref="CheckpointException">
    /// Locked; FileSystemUnfit; ShardForeign (unless repairing); JournalDamaged, JournalForeign, JournalTooNew; 15xx; DiskReadFailed.
    /// </exception>
    internal static JournalSession Open(IDisk disk, ModelDirectory model, JournalOptions options, CancellationToken cancellation)
    {
        StatePaths paths = new(model.Path);
        if (!options.ReadOnly)
        {
            StateFolder.Prepare(disk, paths, options.AllowUnfitFileSystem);
        }

        // A reader of a directory that was never synced creates no lock file; there is nobody to lock out either.
        IDisposable? held = disk.Stat(paths.Folder) is null ? null : DirectoryLocks.TakeWriter(disk, paths);
        JournalSession? session = null;
        try
        {
            OpenedModel opened = Recovery.Run(disk, model.Layout, paths, options, cancellation);
            session = new JournalSession(disk, model, options, opened, held);
            session.FinishRecovery(cancellation);
            session.Ready = options.BaselineFolder is { } folder ? new BaselineCache(session, folder) : null;
            return session;
        }
        catch
        {
            (session ?? held)?.Dispose();
            throw;
        }
    }

    /// <summary>Digest of a chunk in the newest version.</summary>
    internal Digest128 NewestDigest(int ordinal) => newestDigests[ordinal];

    /// <summary>Whether a chunk holds bytes of no version.</summary>
    internal bool IsDamaged(int ordinal) => opened.Damaged.Contains(ordinal);

    /// <summary>Whether a shard's chunks are of several versions.</summary>
    internal bool IsMixed(Shard shard) => opened.Mixed.Contains(shard.FileName);

    /// <summary>Whether the shard's bytes of the chunk are older than the newest version.</summary>
    internal bool IsUnfolded(in Chunk chunk) => Chain.Touches(chunk.Ordinal, RecordOf(chunk.Shard).Version);

    /// <summary>What the table says of a shard.</summary>
    internal ShardRecord RecordOf(Shard shard) => Table.Shards[Layout.PlaceOf(shard)];

    /// <summary>Lays a redo that could not be applied yet over a chunk's bytes.</summary>
    internal void LayRedoOver(in Chunk chunk, Span<byte> bytes) => opened.LayRedoOver(chunk, bytes);

    /// <summary>Opens the bytes of the newest version.</summary>
    internal Baseline OpenBaseline() => new(this);

    /// <summary>Begins a delta on the newest version.</summary>
    /// <param name="keepsPages">Whether a fold follows at once, which can use the pages that the scan sees (<see cref="FreshPages"/>).</param>
    internal DeltaWriter BeginDelta(bool keepsPages = false) => DeltaWriter.Create(Disk, Paths, keepsPages);

    /// <inheritdoc/>
    public void Dispose()
    {
        Ready?.Dispose();
        Chain.Dispose();
        opened.Dispose();
        heldLock?.Dispose();
    }

    /// <summary>The newest version whose bytes a shard holds: its recorded one, raised over deltas that do not change the shard.</summary>
    private long HeightOf(Shard shard)
    {
        ShardRecord record = RecordOf(shard);
        (int first, int count) = Layout.ChunksOf(shard);
        DeltaReader? next = Chain.Deltas.FirstOrDefault(delta => delta.Header.Version > record.Version && delta.Touches(first, count));
        return next?.Header.Parent ?? Newest;
    }

    /// <summary>The oldest version whose bytes a shard holds, as far back as the unfolded deltas tell.</summary>
    private long DepthOf(Shard shard)
    {
        ShardRecord record = RecordOf(shard);
        (int first, int count) = Layout.ChunksOf(shard);
        DeltaReader? last = Chain.Deltas.LastOrDefault(delta => delta.Header.Version <= record.Version && delta.Touches(first, count));
        return last?.Header.Version ?? Table.Shards.Min(other => other.Version);
    }
}
