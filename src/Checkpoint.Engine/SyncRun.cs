using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Scanning;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Consistency;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine;

/// <summary>One run of <see cref="SyncEngine"/>: what the stages found, and the report that is made of it.</summary>
internal sealed class SyncRun(SyncRequest request, IDisk disk, TimeProvider time, Func<JournalOptions, JournalOptions> journal)
{
    /// <summary>Versions that may wait for a fold before the report says so: two hours of a sync every ten minutes.</summary>
    private const int MostWaiting = 12;

    private readonly Stages stages = new(time);
    private readonly List<string> warnings = [];
    private ProducerRecord producer = ProducerRule.Record(ProducerInfo.Unknown);
    private string producerText = "";
    private JournalSession? opened;
    private ReadResult? read;
    private ScanTotals? totals;
    private FoldReport? fold;
    private DeltaHeader? committed;
    private long deltaBytes;
    private bool foundChanges;

    internal T Stage<T>(string name, Func<T> body) => stages.Run(name, body);

    internal JournalSession OpenJournal(ModelDirectory model, IProgressSink progress, CancellationToken cancel)
    {
        if (!request.ReplaceLinks)
        {
            LinkedShards.Refuse(model.Layout);
        }

        JournalOptions options = journal(SyncEngine.JournalOptionsFor(request, progress, time));
        opened = Stage("recover", () => JournalSession.Open(disk, model, options, cancel));
        return opened;
    }

    /// <summary>Plans; a mismatch is an error unless a partial sync was asked for.</summary>
    internal SyncPlan Plan(ModelDirectory model, IWeightSource source)
    {
        SyncPlan plan = Planner.Plan(
            model,
            ModelConfig.TryRead(disk, model.ConfigPath),
            source.Tensors,
            source.DeclaredNotLive,
            new PlanOptions(request.TrustMapping)
        );
        if (plan.Mismatches.Count == 0)
        {
            return plan;
        }

        if (!request.AllowPartial)
        {
            throw PlanRefusal.Of(plan, model);
        }

        warnings.Add(
            $"{plan.Mismatches.Count} tensors do not fit and were not compared (--allow-partial): "
                + string.Join(", ", plan.Mismatches.Take(3).Select(mismatch => mismatch.Tensor))
                + (plan.Mismatches.Count > 3 ? ", …" : "")
        );
        return plan;
    }

    internal void CheckProducer(JournalSession session, ProducerInfo info)
    {
        producer = ProducerRule.Record(info);
        producerText = info.Description ?? info.Kind;
        if (ProducerRule.Check(session, info, request.AcceptProducer) is { } unknown)
        {
            warnings.Add(unknown);
        }
    }

    /// <summary>Refuses damage that a repair cannot reach: no live memory holds those bytes.</summary>
    internal static void CheckDamage(JournalSession session, SyncPlan plan)
    {
        if (session.Damaged.Count == 0)
        {
            return;
        }

        HashSet<TensorEntry> live = [.. plan.Tensors.Select(tensor => tensor.Entry)];
        int[] lost = [.. session.Damaged.Where(ordinal => !live.Contains(session.Layout[ordinal].Tensor)).Order()];
        if (lost.Length > 0)
        {
            throw ForeignBytes.NotLive([.. lost.Select(ordinal => session.Layout[ordinal])]);
        }
    }

    internal void Scan(JournalSession session, SyncPlan plan, OpenedSource source, DeltaWriter? delta, CancellationToken cancel)
    {
        using ModelScan scan = new(session, plan, source.Source, delta, request.BlockSize);
        using StatePage? page = source.Source.StatePagePath is { } path
            ? StatePage.TryOpen(path, FileRules.For(request.HandlesOwner))
            : null;
        ProducerRecord? last = session.State.Producer;
        ulong? lastSequence = last is not null && producer.IsSameProcessAs(last) ? last.PageSequence : null;
        read = Stage("scan", () => new ConsistentRead(scan, page, lastSequence, request.MaxStall).Run(request.Consistency, cancel));
        totals = scan.Totals();
        foundChanges = scan.FoundChanges;
        warnings.AddRange(read.Warnings);
        producer = producer with { PageSequence = read.State?.Sequence };
    }

    internal void Commit(JournalSession session, DeltaWriter? delta, CancellationToken cancel)
    {
        if (delta is null || read is null || totals is null)
        {
            return;
        }

        if (!foundChanges)
        {
            delta.Abandon();
            session.Remember(producer);
            return;
        }

        cancel.ThrowIfCancellationRequested();
        VersionFacts facts = new()
        {
            Label = read.Label,
            Step = read.Label.Step,
            ChangedUnits = totals.ChangedUnits,
            ComparedUnits = totals.ComparedUnits,
            Producer = producer,
            ProducerText = producerText,
        };
        committed = Stage("commit", () => session.Commit(delta, facts));
        deltaBytes = delta.BytesWritten;
        int repaired = delta.Entries().Count(entry => entry.Encoding == ChunkEncoding.Repair);
        if (repaired > 0)
        {
            warnings.Add(
                $"{repaired} damaged chunks were taken from the live model: versions before {committed.Version} can no longer be restored"
            );
        }
    }

    internal void Fold(JournalSession session, CancellationToken cancel)
    {
        if (request.DryRun)
        {
            return;
        }

        long behind = session.Newest - session.FilesVersion;
        if (request.FoldEvery > 0 && behind >= request.FoldEvery)
        {
            fold = Stage("fold", () => session.Fold(request.FoldWay, cancel));
        }
        else
        {
            session.SaveState();
        }

        behind = session.Newest - session.FilesVersion;
        if (behind > Math.Max(MostWaiting, request.FoldEvery))
        {
            warnings.Add(
                $"{behind} versions wait for a fold, the longer the slower: apollo-checkpoint fold --model-dir {request.ModelDirectory}"
            );
        }

        if (session.Ready is { } ready)
        {
            Stage(
                "baseline",
                () =>
                {
                    ready.Update(cancel);
                    return ready;
                }
            );
        }
    }

    internal SyncReport Report(JournalSession session, SyncPlan plan, OpenedSource source)
    {
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(totals);
        Dictionary<string, FoldedShard> folded = fold?.Shards.ToDictionary(shard => shard.FileName, StringComparer.Ordinal) ?? [];
        return new SyncReport
        {
            Version = session.Newest,
            FilesVersion = session.FilesVersion,
            Changed = foundChanges,
            DryRun = request.DryRun,
            Step = read.Label.Step,
            Label = read.Label,
            Source = source.Source.Kind,
            SourceDetail = source.Choice,
            TensorsOnDisk = plan.Tensors.Count,
            LiveTensors = plan.LiveTensors.Count(),
            TensorsNotLive = plan.NotLive.Count,
            NotLiveReasons = [.. plan.NotLive.GroupBy(tensor => tensor.Reason).Select(group => (group.Key, group.Count()))],
            ModelBytes = session.Layout.DataBytes,
            ComparedBytes = totals.ComparedBytes,
            ComparedElements = totals.ComparedUnits,
            ChangedElements = totals.ChangedUnits,
            ChangedBytes = totals.ChangedBytes,
            BlockSize = request.BlockSize,
            ComparedBlocks = totals.ComparedBlocks,
            ChangedBlocks = totals.ChangedBlocks,
            ChangedBlockBytes = totals.ChangedBlockBytes,
            DeltaBytes = deltaBytes,
            WrittenBytes = deltaBytes + (fold?.WrittenBytes ?? 0),
            Shards =
            [
                .. totals.Shards.Select(shard =>
                    folded.TryGetValue(shard.FileName, out FoldedShard? done)
                        ? shard with
                        {
                            FoldedBy = done.Way,
                            WrittenBytes = done.WrittenBytes,
                        }
                        : shard
                ),
            ],
            Stages = stages.Finished,
            Elapsed = stages.Elapsed,
            Warnings = [.. session.Warnings, .. warnings, .. fold?.Warning is { } left ? [left] : Array.Empty<string>()],
            Recovered = session.Recovered,
        };
    }

    /// <summary>The state the model is in, for the user who reads an error.</summary>
    internal string DescribeModel()
    {
        string path = Path.GetFullPath(request.ModelDirectory);
        return (opened, committed) switch
        {
            (null, _) => $"{path} is unchanged",
            ({ } session, null) => $"{path} is unchanged (version {session.Newest})",
            ({ } session, { } header) when session.FilesVersion == header.Version => $"{path} is at version {header.Version}",
            ({ } session, { } header) =>
                $"version {header.Version} is kept in the journal of {path}, the files are at version {session.FilesVersion}; the next command folds again",
        };
    }

    /// <summary>What the user who pressed Ctrl-C is told.</summary>
    internal CheckpointException Cancelled(OperationCanceledException inner) =>
        new(
            CheckpointError.Cancelled,
            committed is { } header ? $"cancelled after version {header.Version} was committed" : "cancelled before anything was committed",
            committed is null
                ? "run the command again"
                : $"bring the files up to date: apollo-checkpoint fold --model-dir {request.ModelDirectory}",
            inner
        )
        {
            ModelState = DescribeModel(),
        };
}
