using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace ApolloCheckpoint.Rsync.Tests;

public sealed class DailyScheduleTests
{
    [Theory]
    [InlineData("2026-11-24T01:00:00", 2.5)]
    [InlineData("2026-11-24T03:30:00", 24)]
    [InlineData("2026-11-24T04:00:00", 23.5)]
    // The night in which Berlin goes to summer time has no 03:30 problem, but is an hour shorter.
    [InlineData("2027-03-28T01:30:00", 1)]
    // And the night back is an hour longer.
    [InlineData("2027-10-31T01:30:00", 3)]
    public void Next_run_is_at_the_next_half_past_three(string now, double hours)
    {
        TimeZoneInfo berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        DateTime local = DateTime.Parse(now);
        FakeTimeProvider time = new(new DateTimeOffset(local, berlin.GetUtcOffset(local)).ToUniversalTime());
        time.SetLocalTimeZone(berlin);
        Assert.Equal(time.GetUtcNow() + TimeSpan.FromHours(hours), DailySchedule.Next(new TimeOnly(3, 30), time));
    }

    [Fact]
    public void Next_run_is_never_a_moment_early_however_long_it_takes_to_ask()
    {
        FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 24, 1, 0, 0, TimeSpan.Zero))
        {
            AutoAdvanceAmount = TimeSpan.FromMilliseconds(7),
        };
        Assert.Equal(new DateTimeOffset(2026, 11, 24, 3, 30, 0, TimeSpan.Zero), DailySchedule.Next(new TimeOnly(3, 30), time));
    }
}
