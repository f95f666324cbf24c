using System.Diagnostics;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine;

/// <summary>
/// Brings live weights into the model's files: the order of the stages and nothing else.
/// <code>
/// open      the model's headers; the lock, and recovery of what a crash left; the live source
/// plan      which live rectangle is which tensor on disk, complete, or fail with nothing written
/// scan      live bytes against the newest version, changes into a temporary delta, consistency judged
/// commit    the delta gets its name: the version exists (invariant 1); no change: it is thrown away
/// fold      the shards are brought up to it, now or later
/// </code>
/// </summary>
public sealed class SyncEngine
{
    private readonly IDisk disk;
    private readonly TimeProvider time;
    private readonly Func<SyncRequest, CancellationToken, OpenedSource> openSource;

    /// <summary>An engine on a disk; tests give their own disk, clock and source.</summary>
    internal SyncEngine(IDisk disk, TimeProvider time, Func<SyncRequest, CancellationToken, OpenedSource> openSource)
    {
        this.disk = disk;
        this.time = time;
        this.openSource = openSource;
    }

    /// <summary>More options of the journal; a test gives its own.</summary>
    internal Func<JournalOptions, JournalOptions> Journal { get; init; } = options => options;

    /// <summary>Runs one sync on this machine's disk.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancel">Stops it: before the commit the model is as it was, after it the version exists.</param>
    /// <exception cref="CheckpointException">Any failure, with the state of the model.</exception>
    public static SyncReport Run(SyncRequest request, IProgressSink progress, CancellationToken cancel) =>
        new SyncEngine(Disk.Instance, TimeProvider.System, WeightSources.Open).Sync(request, progress, cancel);

    internal SyncReport Sync(SyncRequest request, IProgressSink progress, CancellationToken cancel)
    {
        using Activity? span = EngineActivity.Source.StartActivity("sync");
        SyncRun run = new(request, disk, time, Journal);
        try
        {
            ModelDirectory model = run.Stage("open", () => ModelDirectory.Open(disk, request.ModelDirectory));
            // A directory that has a history is recovered before anything else can fail; a first sync begins one only when the plan holds.
            bool hasHistory = disk.Stat(new StatePaths(model.Path).Folder) is not null;
            using JournalSession? known = hasHistory ? run.OpenJournal(model, progress, cancel) : null;
            using OpenedSource source = run.Stage("source", () => openSource(request, cancel));
            SyncPlan plan = run.Stage("plan", () => run.Plan(model, source.Source));
            using JournalSession session = known ?? run.OpenJournal(model, progress, cancel);
            run.CheckProducer(session, source.Source.Producer);
            SyncRun.CheckDamage(session, plan);
            using (DeltaWriter? delta = request.DryRun ? null : session.BeginDelta(keepsPages: request.FoldEvery == 1))
            {
                run.Scan(session, plan, source, delta, cancel);
                run.Commit(session, delta, cancel);
            }

            run.Fold(session, cancel);
            SyncReport report = run.Report(session, plan, source);
            EngineActivity.Describe(span, report);
            return report;
        }
        catch (OperationCanceledException e)
        {
            CheckpointException cancelled = run.Cancelled(e);
            EngineActivity.Describe(span, cancelled);
            throw cancelled;
        }
        catch (CheckpointException e)
        {
            e.ModelState ??= e.Error == CheckpointError.ModelNotFound ? null : run.DescribeModel();
            EngineActivity.Describe(span, e);
            throw;
        }
    }

    /// <summary>The options of a journal session for a request.</summary>
    internal static JournalOptions JournalOptionsFor(SyncRequest request, IProgressSink progress, TimeProvider time) =>
        new()
        {
            Codec = () => new ChunkCodec(),
            Workers = request.Workers,
            Progress = progress,
            Time = time,
            ReadOnly = request.DryRun,
            Repair = request.Repair,
            AllowUnfitFileSystem = request.AllowUnfitFileSystem,
            ReplaceLinks = request.ReplaceLinks,
            BaselineFolder = request.Baseline,
            BootId = ProducerCheck.CurrentBootId() ?? "",
        };
}
