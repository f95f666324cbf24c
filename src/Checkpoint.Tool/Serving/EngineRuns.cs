using System.Diagnostics;
using ApolloCheckpoint.Engine;
using Microsoft.Extensions.Logging;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>Runs what the engine does for one model, never two at once, and remembers the last ones.</summary>
/// <param name="history">The runs of before, and where new ones are kept.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
/// <param name="stopping">Ends a running run cleanly when the service stops.</param>
internal sealed class EngineRuns(RunHistory history, TimeProvider time, ILogger log, CancellationToken stopping)
{
    private readonly Lock gate = new();
    private readonly List<EngineRun> runs = [.. history.Runs];
    private RunProgress? progress;
    private Task current = Task.CompletedTask;
    private TaskCompletionSource changed = NewSignal();
    private DayTotals? day = history.Day;

    /// <summary>Ends when a run begins or ends; ask again for the next time.</summary>
    public Task Changed
    {
        get
        {
            lock (gate)
            {
                return changed.Task;
            }
        }
    }

    /// <summary>The runs, newest first.</summary>
    public IReadOnlyList<EngineRun> All()
    {
        lock (gate)
        {
            return [.. runs.Select(WithProgress)];
        }
    }

    /// <summary>The run of that number.</summary>
    /// <exception cref="CheckpointException">RunUnknown.</exception>
    public EngineRun Find(int id) =>
        All().FirstOrDefault(run => run.Id == id)
        ?? throw new CheckpointException(
            CheckpointError.RunUnknown,
            $"there is no run {id}; the last {RunHistory.Most} are kept",
            "GET /runs lists them"
        );

    /// <summary>What is known today: the totals of this local day.</summary>
    public DayTotals Today()
    {
        DateOnly today = DateOnly.FromDateTime(time.GetLocalNow().DateTime);
        lock (gate)
        {
            return day is { } totals && totals.Day == today ? totals : new DayTotals(today);
        }
    }

    /// <summary>Starts a run, or joins the one of the same kind that is under way.</summary>
    /// <param name="kind">What it does.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="next">When it will ask again, or null.</param>
    /// <param name="body">Does it.</param>
    /// <returns>The run, and whether it was started by this call.</returns>
    /// <exception cref="CheckpointException">Busy: one of another kind is under way. Cancelled: the service is stopping.</exception>
    public (EngineRun Run, bool IsNew) Start(
        RunKind kind,
        string by,
        DateTime? next,
        Func<IProgressSink, CancellationToken, RunResult> body
    )
    {
        lock (gate)
        {
            if (stopping.IsCancellationRequested)
            {
                throw new CheckpointException(CheckpointError.Busy, "the service is stopping", "ask again when it has started");
            }

            if (runs is [{ State: RunState.Running } running, ..])
            {
                return running.Kind == kind
                    ? (WithProgress(running), false)
                    : throw new CheckpointException(
                        CheckpointError.Busy,
                        $"run {running.Id} ({running.Kind}) is under way, and two never run at once",
                        $"follow it at /runs/{running.Id}, then ask again"
                    );
            }

            EngineRun run = new()
            {
                Id = (runs.Count == 0 ? 0 : runs[0].Id) + 1,
                Kind = kind,
                State = RunState.Running,
                By = by,
                Started = Now(),
                Next = next,
                Trace = Activity.Current?.TraceId.ToHexString(),
            };
            runs.Insert(0, run);
            runs.RemoveRange(Math.Min(RunHistory.Most, runs.Count), Math.Max(0, runs.Count - RunHistory.Most));
            RunProgress sink = new();
            progress = sink;
            Keep(run);
            log.RunStarted(run.Id, kind, by);
            // A thread of its own: a scan works for minutes. The trace goes along.
            current = Task.Factory.StartNew(
                () => Execute(run, sink, body),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default
            );
            Signal();
            return (run, true);
        }
    }

    /// <summary>Ends when the run that is under way has ended, or the time is over; at once when none is.</summary>
    public async Task WaitUntilIdleAsync(TimeSpan longest, CancellationToken cancel)
    {
        Task running;
        lock (gate)
        {
            running = current;
        }

        // Not WaitAsync, which throws at the end of the time: the caller looks at the run either way.
        await Task.WhenAny(running, Task.Delay(longest, time, cancel));
    }

    private void Execute(EngineRun run, RunProgress sink, Func<IProgressSink, CancellationToken, RunResult> body)
    {
        EngineRun ended;
        try
        {
            RunResult result = body(sink, stopping);
            ended = run with { State = RunState.Done, Sentence = result.Sentence, Report = result.Report };
        }
        catch (CheckpointException failure)
        {
            ended = Failed(run, failure);
        }
#pragma warning disable CA1031 // A defect must end this run, not the service: the next run may work, and the failure is shown.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ended = Failed(
                run,
                new CheckpointException(CheckpointError.Unexpected, $"{e.GetType().Name}: {e.Message}", "please report this", e)
            );
        }

        ended = ended with { Ended = Now() };
        lock (gate)
        {
            day = (day ?? Today()).With(ended, DateOnly.FromDateTime(time.GetLocalNow().DateTime));
            runs[runs.FindIndex(other => other.Id == run.Id)] = ended;
            progress = null;
            Keep(ended);
            Signal();
        }

        // The next run is minutes away: what this one used goes back to the system, where vLLM and the page cache can use it.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    private EngineRun Failed(EngineRun run, CheckpointException failure)
    {
        log.RunFailed(failure, run.Id, run.Kind, failure.Error, failure.ExitCode, failure.Message, failure.Next ?? "");
        return run with
        {
            State = failure.Error == CheckpointError.Cancelled ? RunState.Interrupted : RunState.Failed,
            Sentence = $"error {failure.ExitCode}: {failure.Message}",
            Error = RunError.Of(failure),
        };
    }

    private void Keep(EngineRun run)
    {
        try
        {
            history.Add(new RunLine(run, run.State == RunState.Running ? null : day));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The weights are what matters: a sync goes on without its line in the history.
            log.HistoryNotWritten(e, run.Id);
        }

        if (run is { State: RunState.Done, Elapsed: { } elapsed })
        {
            log.RunDone(run.Id, run.Kind, run.Sentence, elapsed.TotalSeconds);
        }
    }

    private void Signal()
    {
        changed.SetResult();
        changed = NewSignal();
    }

    private EngineRun WithProgress(EngineRun run) =>
        run.State == RunState.Running && progress?.Now is { } now ? run with { Progress = now } : run;

    /// <summary>Milliseconds are enough, and read better.</summary>
    private DateTime Now()
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        return new DateTime(now.Ticks - now.Ticks % TimeSpan.TicksPerMillisecond, DateTimeKind.Utc);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
