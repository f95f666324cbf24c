using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// The off-site job of one model: a whole copy, the deltas since, a restore drill. One at a time on this machine
/// (<c>.apollo/offsite.lock</c>); what each did, or why it failed, is left in <c>.apollo/offsite.json</c>.
/// </summary>
public sealed class OffsiteJob(OffsiteOptions options, IDisk disk, TimeProvider time)
{
    private readonly FarSide far = new(options);

    /// <summary>What the job is asked to do.</summary>
    public OffsiteOptions Options => options;

    /// <summary>Makes a whole copy, and adds to it what was committed while it travelled.</summary>
    /// <exception cref="CheckpointException">20xx; ShardsHeld; 10xx, 14xx, 16xx of the model here. The far side's newest copy is untouched.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; rsync was asked to stop and keeps what arrived.</exception>
    public async Task<OffsiteReport> RunAsync(CancellationToken cancel)
    {
        RequireModel();
        OffsiteReport report = await RecordAsync(
            "copy",
            () => new NightlyCopy(options, disk, time, far).RunAsync(cancel),
            (state, done) =>
                state with
                {
                    Copy = new OffsiteState.CopyDone(
                        done.Snapshot,
                        time.GetUtcNow(),
                        done.Version,
                        done.FilesVersion,
                        done.SentBytes,
                        done.ModelBytes,
                        done.Files,
                        done.SumsSha256,
                        done.Elapsed.TotalSeconds
                    ),
                    Deltas = null,
                }
        );
        if (HeldModel.VersionsIn(disk, new StatePaths(options.ModelDirectory)) is [.., long newest] && newest > report.Version)
        {
            DeltaReport deltas = await ShipDeltasAsync(cancel);
            report = report with { Version = deltas.Version, SentBytes = report.SentBytes + deltas.SentBytes };
        }

        return report;
    }

    /// <summary>Adds the deltas that the newest copy does not have.</summary>
    /// <exception cref="CheckpointException">20xx: also where there is no copy yet, or it is of another history.</exception>
    public Task<DeltaReport> ShipDeltasAsync(CancellationToken cancel)
    {
        RequireModel();
        return RecordAsync(
            "deltas",
            () => new DeltaShipping(options, disk, time, far).RunAsync(cancel),
            (state, done) =>
                state with
                {
                    Deltas = new OffsiteState.DeltasDone(
                        done.Snapshot,
                        time.GetUtcNow(),
                        done.Version,
                        done.Deltas,
                        done.SentBytes,
                        done.Elapsed.TotalSeconds
                    ),
                }
        );
    }

    /// <summary>Fetches a random part of the newest copy back and compares it with what was recorded.</summary>
    /// <exception cref="CheckpointException">OffsiteDiffers: it is not; 20xx.</exception>
    public Task<DrillReport> DrillAsync(CancellationToken cancel)
    {
        RequireModel();
        OffsiteState.CopyDone? copy = OffsiteState.TryRead(disk, options.ModelDirectory)?.Copy;
        return RecordAsync(
            "drill",
            () => new RestoreDrill(options, disk, time, far).RunAsync(copy is null ? null : (copy.Snapshot, copy.SumsSha256), cancel),
            (state, done) =>
                state with
                {
                    Drill = new OffsiteState.DrillDone(done.Snapshot, time.GetUtcNow(), done.Chunks, done.Bytes, done.Elapsed.TotalSeconds),
                }
        );
    }

    private void RequireModel()
    {
        if (disk.Stat(options.ModelDirectory) is null)
        {
            throw new CheckpointException(
                CheckpointError.ModelNotFound,
                $"Model directory not found: {options.ModelDirectory}",
                "check --model-dir"
            );
        }
    }

    /// <summary>One run under the job's lock, its end noted.</summary>
    private async Task<T> RecordAsync<T>(string what, Func<Task<T>> run, Func<OffsiteState, T, OffsiteState> note)
    {
        using System.Diagnostics.Activity? span = EngineActivity.Source.StartActivity("offsite." + what);
        StatePaths paths = new(options.ModelDirectory);
        bool isKnown = disk.Stat(paths.Folder) is not null;
        using IDisposable? only = isKnown ? disk.TryLock(paths.OffsiteLock, shared: false) : null;
        if (isKnown && only is null)
        {
            throw new CheckpointException(
                CheckpointError.Locked,
                $"another off-site run of {options.ModelDirectory} is at work (it holds {paths.OffsiteLock})",
                $"wait for it to end; fuser {paths.OffsiteLock} shows its process"
            );
        }

        Note(state => state with { Running = new OffsiteState.RunNow(what, time.GetUtcNow()) });
        try
        {
            T done = await run();
            Note(state => note(state, done) with { Running = null, Failure = null });
            return done;
        }
        catch (CheckpointException e)
        {
            e.ModelState ??= "the newest finished copy on the far side is untouched";
            Note(state =>
                state with
                {
                    Running = null,
                    Failure = new OffsiteState.RunFailed(what, time.GetUtcNow(), e.ExitCode, e.Message, e.Next),
                }
            );
            throw;
        }
        catch (OperationCanceledException)
        {
            Note(state => state with { Running = null });
            throw;
        }
    }

    private void Note(Func<OffsiteState, OffsiteState> change)
    {
        OffsiteState state = OffsiteState.TryRead(disk, options.ModelDirectory) ?? new OffsiteState();
        if (state.Target != options.Target.ToString())
        {
            // Another far side: what was noted of the one before says nothing of this one.
            state = new OffsiteState { Next = state.Next, Target = options.Target.ToString() };
        }

        change(state).Save(disk, options.ModelDirectory);
    }
}
