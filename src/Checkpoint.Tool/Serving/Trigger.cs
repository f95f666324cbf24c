using System.Globalization;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>
/// Asks the engine to sync on a schedule, and says how it went and when the next one is. One after the other, so never two at once; the
/// engine joins what others ask for.
/// <code>
/// due         a grid: the start and every period after it, or the times of a cron line; nothing that happens moves it
/// jitter      a run begins up to so much after it is due, so that many models do not meet at the disk
/// missed      (a sleeping machine, a long run): one run at once makes up for all of them
/// failed      tried again after 15 s, 30 s, 60 s, …, never later than the next time that is due
/// paused      nothing is asked; what was missed meanwhile is made up for by one run
/// </code>
/// </summary>
/// <param name="engine">Runs one sync to its end.</param>
/// <param name="schedule">When.</param>
/// <param name="jitter">Longest time that a run begins after it is due.</param>
/// <param name="console">Where it speaks; the clock.</param>
internal sealed class Trigger(IEngineCall engine, Schedule schedule, TimeSpan jitter, ToolConsole console)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(15);

    /// <summary>A timer may not be longer, and the machine may sleep or its clock be set meanwhile.</summary>
    private static readonly TimeSpan LongestNap = TimeSpan.FromMinutes(1);

    private readonly TimeProvider time = console.Time;
    private readonly DateTimeOffset began = console.Time.GetUtcNow();
    private DateTimeOffset lastGood = console.Time.GetUtcNow();
    private int failures;
    private volatile TaskCompletionSource woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether it was told to pause.</summary>
    public bool IsPaused { get; private set; }

    /// <summary>When the next run is due; null when the cron line names no further time.</summary>
    public DateTimeOffset? Next { get; private set; } = console.Time.GetUtcNow();

    /// <summary>What the last run said; null before the first.</summary>
    public string? Last { get; private set; }

    /// <summary>Whether a run is under way.</summary>
    public bool IsAsking { get; private set; }

    /// <summary>Why it is not healthy, one sentence: no run ended well for three periods. Null when it is, or is paused.</summary>
    public string? Problem()
    {
        TimeSpan limit = schedule.Period(time.GetUtcNow()) * 3;
        DateTimeOffset since = lastGood > began ? lastGood : began;
        return !IsPaused && time.GetUtcNow() - since > limit
            ? $"the newest version is older than three periods: no sync ended well since {Local(since)}; the last one: {Last ?? "none"}"
            : null;
    }

    /// <summary>Asks for nothing until <see cref="Resume"/>; a run under way ends as it does.</summary>
    public void Pause() => Change(isPaused: true);

    /// <summary>Goes on; what was missed is made up for by one run.</summary>
    public void Resume() => Change(isPaused: false);

    /// <summary>Goes on until cancelled, or the cron line names no further time.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        // The grid begins now; a cron line's own first time is the first.
        DateTimeOffset due = time.GetUtcNow();
        DateTimeOffset? at = schedule.BeginsAtOnce ? due : Following(due, Jitter());
        while (at is { } next)
        {
            Say(next);
            await WaitUntilAsync(next, cancel);
            // What was missed up to now is covered by this run.
            due = schedule.LastDue(due, time.GetUtcNow());
            bool isGood = await AskAsync(schedule.Next(due, time.GetUtcNow()), cancel);
            at = isGood ? Following(due, Jitter()) : Earlier(Retry(), Following(due, TimeSpan.Zero));
        }

        console.Error.WriteLine($"{schedule.Text} names no further time");
    }

    private DateTimeOffset? Following(DateTimeOffset due, TimeSpan late)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset? next = schedule.Next(due, now);
        return next > now ? next + late : next;
    }

    private DateTimeOffset Retry() => time.GetUtcNow() + FirstRetry * Math.Pow(2, Math.Min(failures - 1, 20));

    private static DateTimeOffset? Earlier(DateTimeOffset one, DateTimeOffset? other) => other < one ? other : one;

    private TimeSpan Jitter() => jitter * Random.Shared.NextDouble();

    private async Task<bool> AskAsync(DateTimeOffset? following, CancellationToken cancel)
    {
        using System.Diagnostics.Activity? tick = EngineActivity.Source.StartActivity("trigger.tick");
        IsAsking = true;
        try
        {
            (bool isGood, string said) = await engine.SyncAsync(following, cancel);
            Last = said;
            console.Error.WriteLine(said);
            failures = isGood ? 0 : failures + 1;
            lastGood = isGood ? time.GetUtcNow() : lastGood;
            return isGood;
        }
        finally
        {
            IsAsking = false;
        }
    }

    private async Task WaitUntilAsync(DateTimeOffset next, CancellationToken cancel)
    {
        while (true)
        {
            Task changed = woken.Task;
            TimeSpan left = next - time.GetUtcNow();
            if (left <= TimeSpan.Zero && !IsPaused)
            {
                return;
            }

            TimeSpan nap = left <= TimeSpan.Zero || left > LongestNap ? LongestNap : left;
            using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            // Whole milliseconds, upward: a delay rounds down, and would be none at the end.
            await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(nap.TotalMilliseconds)), time, over.Token), changed);
            await over.CancelAsync();
            cancel.ThrowIfCancellationRequested();
        }
    }

    private void Change(bool isPaused)
    {
        IsPaused = isPaused;
        console.Error.WriteLine(isPaused ? "paused" : "resumed");
        Interlocked.Exchange(ref woken, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    private void Say(DateTimeOffset next)
    {
        Next = next;
        if (next > time.GetUtcNow())
        {
            console.Error.WriteLine($"next sync {Local(next)}");
        }
    }

    private string Local(DateTimeOffset at) =>
        TimeZoneInfo.ConvertTime(at, time.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
