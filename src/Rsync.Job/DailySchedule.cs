namespace ApolloCheckpoint.Rsync;

/// <summary>The next time a clock shows a time of day, in the machine's own time zone.</summary>
public static class DailySchedule
{
    /// <summary>The next <paramref name="at"/> after now, exactly; the clock is read once, so that it never comes out a moment early.</summary>
    public static DateTimeOffset Next(TimeOnly at, TimeProvider time)
    {
        DateTimeOffset now = time.GetLocalNow();
        DateTime next = now.Date + at.ToTimeSpan();
        if (next <= now.DateTime)
        {
            next = next.AddDays(1);
        }

        // Through UTC, so that the nights on which clocks change are as long as they are. A time that does not exist runs an hour later.
        while (time.LocalTimeZone.IsInvalidTime(next))
        {
            next = next.AddMinutes(30);
        }

        return TimeZoneInfo.ConvertTimeToUtc(next, time.LocalTimeZone);
    }
}
