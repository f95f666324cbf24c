using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Tests;

public class ScheduleTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 5, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Interval_counts_from_the_last_due_time_not_from_its_end() =>
        Assert.Equal(Noon.AddMinutes(10), Schedule.Every(TimeSpan.FromMinutes(10)).Next(Noon, Noon.AddMinutes(4)));

    [Fact]
    public void Missed_times_are_made_up_for_by_one_run_at_once() =>
        Assert.Equal(Noon.AddHours(5), Schedule.Every(TimeSpan.FromMinutes(10)).Next(Noon, Noon.AddHours(5)));

    [Fact]
    public void Cron_line_of_the_old_program_names_every_tenth_minute() =>
        Assert.Equal(Noon.AddMinutes(10), Schedule.Cron(Schedule.DefaultCron, TimeZoneInfo.Utc).Next(Noon, Noon.AddSeconds(1)));

    [Fact]
    public void Cron_line_may_have_seconds() =>
        Assert.Equal(Noon.AddSeconds(30), Schedule.Cron("30 * * * * *", TimeZoneInfo.Utc).Next(Noon, Noon));

    [Fact]
    public void Text_that_is_no_cron_line_is_a_usage_error() =>
        Assert.Equal(
            CheckpointError.Usage,
            Assert.Throws<CheckpointException>(() => Schedule.Cron("every ten minutes", TimeZoneInfo.Utc)).Error
        );
}
