using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Baselines;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Scanning;

/// <summary>
/// Compares the live bytes of a whole plan with the newest version, chunk by chunk on all cores, and appends what changed to a delta.
/// It can be passed several times: a later pass reads everything again, codes again what moved in between, and leaves the rest. After
/// each pass the delta stands for the bytes that this pass read.
/// </summary>
internal sealed class ModelScan : IDisposable
{
    private readonly JournalSession session;
    private readonly SyncPlan plan;
    private readonly ScanUnit[] units;
    private readonly Digest128[] liveDigests;
    private readonly ChunkOutcome[] outcomes;
    private readonly Baseline baseline;
    private readonly HashSet<string> copiesThatDiffer = new(StringComparer.Ordinal);
    private int passes;

    /// <param name="session">The opened model; its newest version is what is compared with.</param>
    /// <param name="plan">Complete.</param>
    /// <param name="source">The live tensors of the plan.</param>
    /// <param name="delta">Takes the changes; null to count only.</param>
    /// <param name="blockSize">Bytes of a block, for the count.</param>
    internal ModelScan(JournalSession session, SyncPlan plan, IWeightSource source, DeltaWriter? delta, int blockSize)
    {
        this.session = session;
        this.plan = plan;
        Source = source;
        Delta = delta;
        BlockSize = blockSize;
        units = [.. InMemoryOrder(plan.Twins().Select(twins => (twins, new RegionCopier(twins[0])))).SelectMany(Units)];
        liveDigests = new Digest128[units.Length];
        outcomes = new ChunkOutcome[session.Layout.ChunkCount];
        baseline = session.OpenBaseline();
    }

    /// <summary>Where live bytes are read.</summary>
    internal IWeightSource Source { get; }

    /// <summary>Where changes go, or null.</summary>
    internal DeltaWriter? Delta { get; }

    /// <summary>Bytes of a block.</summary>
    internal int BlockSize { get; }

    /// <summary>Whether any chunk differs from the newest version, as of the last pass.</summary>
    internal bool FoundChanges => Array.Exists(outcomes, outcome => outcome.ChangedUnits > 0) || Delta is { Count: > 0 };

    /// <summary>
    /// Tensors on disk of which several ranks hold copies that all compute and that were not the same in the last pass.
    /// </summary>
    internal IReadOnlyCollection<string> CopiesThatDiffer => copiesThatDiffer;

    /// <summary>Reads every live byte of the plan once, copies on other ranks too.</summary>
    /// <returns>Names of the tensors on disk whose live bytes moved since the pass before; empty in the first.</returns>
    /// <exception cref="CheckpointException">SourceUnavailable; ShardForeign; 15xx. The delta is to be given up.</exception>
    internal IReadOnlyCollection<string> Pass(CancellationToken cancel)
    {
        bool isFirst = passes++ == 0;
        HashSet<string> moved = new(StringComparer.Ordinal);
        copiesThatDiffer.Clear();
        IProgressSink progress = session.Options.Progress;
        progress.Begin(isFirst ? "scan" : "scan again", plan.LiveBytes);
        ChunkWorkers.RunAhead(
            [.. Enumerable.Range(0, units.Length)],
            session.Options.Workers,
            () => new ScanWorker(this, session, baseline, session.Options.Codec()),
            (index, worker) => worker.Expect(units[index]),
            (index, worker) =>
            {
                Digest128 digest = worker.ReadLive(units[index]);
                if (!worker.CopiesAgree(units[index]))
                {
                    Note(copiesThatDiffer, units[index]);
                }

                if (isFirst || digest != liveDigests[index])
                {
                    liveDigests[index] = digest;
                    worker.Compare(units[index], digest);
                    if (!isFirst)
                    {
                        Note(moved, units[index]);
                    }
                }

                progress.Advance(units[index].Ordinals.Sum(ordinal => (long)session.Layout[ordinal].ByteLength));
            },
            cancel
        );
        progress.End();
        return moved;
    }

    /// <summary>Takes what a pass found in a chunk, over what an earlier one found.</summary>
    internal void Record(int ordinal, ChunkOutcome outcome) => outcomes[ordinal] = outcome;

    /// <summary>The counts as of the last pass.</summary>
    internal ScanTotals Totals()
    {
        List<ShardReport> shards = [];
        (long Units, long ChangedUnits, long ChangedBytes, long Blocks, long ChangedBlocks) sum = default;
        foreach (IGrouping<string, PlannedTensor> shard in plan.Tensors.GroupBy(tensor => tensor.Shard.FileName))
        {
            (long compared, long changedUnits, long blockBytes) = (0, 0, 0);
            foreach (PlannedTensor tensor in shard)
            {
                BlockTally tally = new(BlockSize, tensor.Entry.ByteLength);
                (int first, int count) = session.Layout.ChunksOf(tensor.Entry);
                long changed = 0;
                for (int ordinal = first; ordinal < first + count; ordinal++)
                {
                    changed += outcomes[ordinal].ChangedUnits;
                    tally.Add(outcomes[ordinal].Blocks);
                }

                compared += tensor.Entry.ByteLength;
                changedUnits += changed;
                blockBytes += tally.ChangedBytes;
                sum.Units += tensor.Entry.Units;
                sum.ChangedBytes += changed * Model.ElementTypes.UnitBytes(tensor.Entry.Type);
                sum.Blocks += tally.TotalBlocks;
                sum.ChangedBlocks += tally.ChangedBlocks;
            }

            sum.ChangedUnits += changedUnits;
            shards.Add(new ShardReport(shard.Key, compared, changedUnits, blockBytes, null, 0));
        }

        return new ScanTotals(
            shards.Sum(shard => shard.ComparedBytes),
            sum.Units,
            sum.ChangedUnits,
            sum.ChangedBytes,
            sum.Blocks,
            sum.ChangedBlocks,
            shards.Sum(shard => shard.ChangedBlockBytes),
            shards
        );
    }

    /// <summary>Lets go of the shards, so that a fold may replace them.</summary>
    public void Dispose() => baseline.Dispose();

    private static void Note(HashSet<string> names, ScanUnit unit)
    {
        lock (names)
        {
            names.UnionWith(unit.Twins.Select(twin => twin.Entry.Name));
        }
    }

    /// <summary>
    /// What lies in one allocation of live memory together and by address, which devices like; allocations in the order of the disk.
    /// </summary>
    private static IEnumerable<(IReadOnlyList<PlannedTensor>, RegionCopier)> InMemoryOrder(
        IEnumerable<(IReadOnlyList<PlannedTensor> Twins, RegionCopier Copier)> tensors
    ) =>
        tensors
            .GroupBy(tensor => tensor.Copier.Address?.Allocation)
            .SelectMany(allocation => allocation.OrderBy(tensor => tensor.Copier.Address?.Offset));

    private IEnumerable<ScanUnit> Units((IReadOnlyList<PlannedTensor> Twins, RegionCopier Copier) tensor)
    {
        (IReadOnlyList<PlannedTensor> twins, RegionCopier copier) = tensor;
        RegionCopier[] copies = [.. twins.SelectMany(twin => twin.Copies.Select(copy => new RegionCopier(twin with { Regions = copy })))];
        (_, int count) = session.Layout.ChunksOf(twins[0].Entry);
        int[] firsts = [.. twins.Select(twin => session.Layout.ChunksOf(twin.Entry).First)];
        return Enumerable.Range(0, count).Select(part => new ScanUnit(twins, [.. firsts.Select(first => first + part)], copier, copies));
    }
}
