using System.Diagnostics;
using System.Threading.Channels;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// The off-site job as a service: a copy every night, deltas as they are committed when that is wanted, and what is asked for in
/// between; one after the other. A run that failed does not end it: a night is tried again after 5 minutes, then 10, 20, 40.
/// </summary>
/// <param name="job">The job.</param>
/// <param name="at">Time of day of the nightly copy.</param>
/// <param name="deltas">How often to look for new versions to ship, or null: not by itself.</param>
/// <param name="disk">The disk of the model.</param>
/// <param name="time">The clock.</param>
public sealed class OffsiteService(OffsiteJob job, TimeOnly at, TimeSpan? deltas, IDisk disk, TimeProvider time)
{
    private const int Remembered = 100;
    private const int MostRetries = 4;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMinutes(5);

    // A copy is due every night; a night that clocks make longer, and a slow transfer, are no reason for alarm.
    private static readonly TimeSpan LongestAge = TimeSpan.FromHours(26);

    private readonly Channel<(OffsiteRun Run, ActivityContext Parent)> orders = Channel.CreateUnbounded<(OffsiteRun, ActivityContext)>();
    private readonly Lock gate = new();
    private readonly List<OffsiteRun> runs = [];
    private readonly DateTimeOffset began = time.GetUtcNow();
    private int count;
    private int failedNights;
    private long triedVersion;

    // The trace that committed the newest version, as far as it was told: a nightly copy, which has no caller, links to it.
    private ActivityContext newestCommit;

    /// <summary>Told of every run that ended, and when the next copy is due.</summary>
    public event Action<string>? Said;

    /// <summary>Told of every run that failed.</summary>
    public event Action<CheckpointException>? Failed;

    /// <summary>When the next copy is due.</summary>
    public DateTimeOffset Next { get; private set; } = time.GetUtcNow();

    /// <summary>The runs of this process, newest first.</summary>
    public IReadOnlyList<OffsiteRun> Runs()
    {
        lock (gate)
        {
            return [.. runs];
        }
    }

    /// <summary>Why it is not healthy, one sentence; null when it is.</summary>
    public string? Problem()
    {
        OffsiteState? state = OffsiteState.TryRead(disk, job.Options.ModelDirectory);
        if (Runs().FirstOrDefault(run => run.State != "running") is { Failure: { } failure })
        {
            return $"the last run failed: {failure.Message}";
        }

        DateTimeOffset newest = state?.Copy?.Time ?? DateTimeOffset.MinValue;
        DateTimeOffset since = newest > began ? newest : began;
        return time.GetUtcNow() - since > LongestAge ? $"no copy was finished since {since:yyyy-MM-dd HH:mm} UTC" : null;
    }

    /// <summary>Asks for a run; one that waits already is joined.</summary>
    public OffsiteRun Ask(OffsiteTask what)
    {
        lock (gate)
        {
            if (runs.FirstOrDefault(run => run.What == what && run.State == "running") is { } waiting)
            {
                return waiting;
            }

            newestCommit = what == OffsiteTask.Deltas ? Activity.Current?.Context ?? newestCommit : newestCommit;
            OffsiteRun run = new(++count, what, time.GetUtcNow());
            runs.Insert(0, run);
            runs.RemoveRange(Math.Min(Remembered, runs.Count), Math.Max(0, runs.Count - Remembered));
            orders.Writer.TryWrite((run, Activity.Current?.Context ?? default));
            return run;
        }
    }

    /// <summary>Waits for the end of a run.</summary>
    /// <returns>The run as it is then, or when the time is over.</returns>
    public async Task<OffsiteRun> WaitAsync(OffsiteRun run, TimeSpan longest, CancellationToken cancel)
    {
        long started = time.GetTimestamp();
        OffsiteRun now = Find();
        while (now.State == "running" && time.GetElapsedTime(started) < longest)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancel);
            now = Find();
        }

        return now;

        OffsiteRun Find() => Runs().FirstOrDefault(other => other.Id == run.Id) ?? run;
    }

    /// <summary>Goes on until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        Plan(DailySchedule.Next(at, time));
        while (true)
        {
            await WaitAsync(cancel);
            NoteNext();
            if (time.GetUtcNow() >= Next)
            {
                Ask(OffsiteTask.Copy);
                Plan(DailySchedule.Next(at, time));
            }
            else if (deltas is not null && HasNewVersion())
            {
                Ask(OffsiteTask.Deltas);
            }

            while (orders.Reader.TryRead(out (OffsiteRun Run, ActivityContext Parent) order))
            {
                await RunAsync(order.Run, order.Parent, cancel);
            }
        }
    }

    /// <summary>Until the next copy is due, a run is asked for, or it is time to look for versions.</summary>
    private async Task WaitAsync(CancellationToken cancel)
    {
        // In steps, because the machine may sleep and its clock may be set.
        TimeSpan longest = deltas is { } often && often < TimeSpan.FromMinutes(1) ? often : TimeSpan.FromMinutes(1);
        TimeSpan left = Next - time.GetUtcNow();
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task<bool> asked = orders.Reader.WaitToReadAsync(over.Token).AsTask();
        TimeSpan nap =
            left <= TimeSpan.Zero ? TimeSpan.Zero
            : left < longest ? left
            : longest;
        // Whole milliseconds, upward: a delay rounds down, and would be none at the end.
        Task step = Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(nap.TotalMilliseconds)), time, over.Token);
        await Task.WhenAny(asked, step);
        await over.CancelAsync();
        cancel.ThrowIfCancellationRequested();
    }

    private bool HasNewVersion()
    {
        IReadOnlyList<long> versions = HeldModel.VersionsIn(disk, new StatePaths(job.Options.ModelDirectory));
        OffsiteState? state = OffsiteState.TryRead(disk, job.Options.ModelDirectory);
        // Before the first copy there is nothing to add to. What was tried and failed is tried again with the next version, or by night.
        return versions is [.., long newest] && state?.NewestVersion is { } there && newest > Math.Max(there, triedVersion);
    }

    private async Task RunAsync(OffsiteRun run, ActivityContext parent, CancellationToken cancel)
    {
        ActivityLink[] links = run.What == OffsiteTask.Copy && newestCommit != default ? [new ActivityLink(newestCommit)] : [];
        using Activity? span = EngineActivity.Source.StartActivity("offsite.run", ActivityKind.Consumer, parent, links: links);
        OffsiteRun ended;
        try
        {
            ended = run with { Report = await DoAsync(run.What, cancel), Ended = time.GetUtcNow() };
            Said?.Invoke(ended.Report);
        }
        catch (CheckpointException e)
        {
            ended = run with { Failure = e, Ended = time.GetUtcNow() };
            Failed?.Invoke(e);
        }

        lock (gate)
        {
            runs[runs.FindIndex(other => other.Id == run.Id)] = ended;
        }

        if (run.What == OffsiteTask.Copy)
        {
            PlanAfter(isFailed: ended.Failure is not null);
        }
    }

    private async Task<string> DoAsync(OffsiteTask what, CancellationToken cancel)
    {
        switch (what)
        {
            case OffsiteTask.Copy:
                return OffsiteText.Of(await job.RunAsync(cancel));
            case OffsiteTask.Drill:
                return OffsiteText.Of(await job.DrillAsync(cancel));
            default:
                return await ShipDeltasAsync(cancel);
        }
    }

    private async Task<string> ShipDeltasAsync(CancellationToken cancel)
    {
        IReadOnlyList<long> versions = HeldModel.VersionsIn(disk, new StatePaths(job.Options.ModelDirectory));
        long newest = versions.Count == 0 ? 0 : versions[^1];
        try
        {
            string report = OffsiteText.Of(await job.ShipDeltasAsync(cancel));
            triedVersion = newest;
            return report;
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.Locked)
        {
            return "another off-site run is at work; the deltas follow";
        }
        catch (CheckpointException)
        {
            triedVersion = newest;
            throw;
        }
    }

    private void PlanAfter(bool isFailed)
    {
        failedNights = isFailed ? failedNights + 1 : 0;
        DateTimeOffset night = DailySchedule.Next(at, time);
        DateTimeOffset retry = time.GetUtcNow() + FirstRetry * Math.Pow(2, failedNights - 1);
        Plan(isFailed && failedNights <= MostRetries && retry < night ? retry : night);
    }

    private void Plan(DateTimeOffset next)
    {
        Next = next;
        NoteNext();
        Said?.Invoke($"next off-site copy {TimeZoneInfo.ConvertTime(next, time.LocalTimeZone):yyyy-MM-dd HH:mm}");
    }

    /// <summary>Notes when the next copy is due; again later, where the model had no folder of ours yet.</summary>
    private void NoteNext()
    {
        OffsiteState state = OffsiteState.TryRead(disk, job.Options.ModelDirectory) ?? new OffsiteState();
        if (state.Next != Next)
        {
            string target = state.Target.Length == 0 ? job.Options.Target.ToString() : state.Target;
            (state with { Target = target, Next = Next }).Save(disk, job.Options.ModelDirectory);
        }
    }
}
