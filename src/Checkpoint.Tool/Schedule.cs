using ApolloCheckpoint.Engine;
using Cronos;

namespace ApolloCheckpoint.Tool;

/// <summary>When the next run is due: at a fixed distance from the last one's due time, or as a cron line says in local time.</summary>
internal sealed class Schedule
{
    private readonly TimeSpan every;
    private readonly CronExpression? cron;
    private readonly TimeZoneInfo zone;

    private Schedule(TimeSpan every, CronExpression? cron, TimeZoneInfo zone, string text)
    {
        this.every = every;
        this.cron = cron;
        this.zone = zone;
        Text = text;
    }

    /// <summary>The cron line that the old program's users had.</summary>
    public const string DefaultCron = "*/10 * * * *";

    /// <summary>As the user said it.</summary>
    public string Text { get; }

    /// <summary>Whether the first run is due at once, not at the first time that the schedule names.</summary>
    public bool BeginsAtOnce => cron is null;

    /// <summary>One run each so often.</summary>
    public static Schedule Every(TimeSpan every) => new(every, null, TimeZoneInfo.Utc, $"every {Rendering.Quantity.Duration(every)}");

    /// <summary>A cron line of five fields, or six with seconds in front.</summary>
    /// <exception cref="CheckpointException">Usage: it is none.</exception>
    public static Schedule Cron(string line, TimeZoneInfo zone)
    {
        bool hasSeconds = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length == 6;
        try
        {
            CronExpression cron = CronExpression.Parse(line, hasSeconds ? CronFormat.IncludeSeconds : CronFormat.Standard);
            return new Schedule(default, cron, zone, $"cron {line}");
        }
        catch (CronFormatException e)
        {
            throw new CheckpointException(
                CheckpointError.Usage,
                $"'{line}' is no cron line: {e.Message}",
                $"five fields, for example '{DefaultCron}'",
                e
            );
        }
    }

    /// <summary>
    /// When the next run is due. Times that passed meanwhile (a long run, a sleeping machine) are made up for by one run at once, not by
    /// as many as were missed.
    /// </summary>
    /// <param name="lastDue">When the last run was due.</param>
    /// <param name="now">The time now.</param>
    /// <returns>Not before now; null when a cron line names no further time.</returns>
    public DateTimeOffset? Next(DateTimeOffset lastDue, DateTimeOffset now)
    {
        DateTimeOffset? next = cron is null ? lastDue + every : cron.GetNextOccurrence(lastDue, zone);
        return next < now ? now : next;
    }

    /// <summary>The newest time that was due and is not after now: one run makes up for all up to it. A grid point stays one.</summary>
    /// <param name="lastDue">When the last run was due; not after now.</param>
    /// <param name="now">The time now.</param>
    public DateTimeOffset LastDue(DateTimeOffset lastDue, DateTimeOffset now)
    {
        if (cron is null)
        {
            return now <= lastDue ? lastDue : lastDue + every * Math.Floor((now - lastDue) / every);
        }

        DateTimeOffset last = lastDue;
        while (cron.GetNextOccurrence(last, zone) is { } next && next <= now)
        {
            last = next;
        }

        return last;
    }

    /// <summary>How far apart two runs are, from now on.</summary>
    public TimeSpan Period(DateTimeOffset now) =>
        cron is null ? every
        : cron.GetNextOccurrence(now, zone) is { } first && cron.GetNextOccurrence(first, zone) is { } second ? second - first
        : TimeSpan.FromDays(366);
}
