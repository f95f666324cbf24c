using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>Runs syncs of one model, never two at once, and remembers the last ones.</summary>
/// <param name="sync">Runs one sync to its end.</param>
/// <param name="time">The clock.</param>
/// <param name="stopping">Ends a running sync cleanly when the service stops.</param>
internal sealed class SyncRuns(Func<CancellationToken, SyncReport> sync, TimeProvider time, CancellationToken stopping)
{
    /// <summary>How many runs are remembered.</summary>
    private const int Most = 100;

    private readonly Lock gate = new();
    private readonly List<RunRecord> runs = [];
    private Task current = Task.CompletedTask;
    private int count;

    /// <summary>The runs, newest first.</summary>
    public IReadOnlyList<RunRecord> All()
    {
        lock (gate)
        {
            return [.. runs];
        }
    }

    /// <summary>The run of that number, or null when it is not remembered.</summary>
    public RunRecord? Find(int id) => All().FirstOrDefault(run => run.Id == id);

    /// <summary>The run that is under way, or the newest one; null before the first.</summary>
    public RunRecord? Newest => All() is [RunRecord newest, ..] ? newest : null;

    /// <summary>Starts a sync, or joins the one that is running.</summary>
    /// <returns>The run, and whether it was started by this call.</returns>
    public (RunRecord Run, bool IsNew) Start()
    {
        lock (gate)
        {
            if (runs is [{ State: "running" } running, ..])
            {
                return (running, false);
            }

            RunRecord run = new(++count, time.GetUtcNow());
            runs.Insert(0, run);
            runs.RemoveRange(Math.Min(Most, runs.Count), Math.Max(0, runs.Count - Most));
            current = Task.Factory.StartNew(
                () => Execute(run),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default
            );
            return (run, true);
        }
    }

    /// <summary>Ends when the sync that runs now has ended, or the time is over; at once when none runs.</summary>
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

    private void Execute(RunRecord run)
    {
        RunRecord ended;
        try
        {
            ended = run with { Report = sync(stopping) };
        }
        catch (CheckpointException e)
        {
            ended = run with { Failure = e };
        }
#pragma warning disable CA1031 // A defect must end this run, not the service: the next run may work, and the failure is shown.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ended = run with { Failure = new CheckpointException(CheckpointError.Unexpected, e.Message, "please report this", e) };
        }

        lock (gate)
        {
            runs[runs.FindIndex(other => other.Id == run.Id)] = ended;
        }
    }
}
