using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.TestKit.Crashing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>Invariant 8: only from the old end, never what is not folded, never the newest.</summary>
public sealed class PruneTests
{
    private readonly CrashingDisk disk = new();
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly JournaledModel model;

    public PruneTests()
    {
        model = JournaledModel.Create(disk, "/model");
        model.Options = model.Options with { Time = time };
    }

    private HistoryEngine Engine => new("/model", options: model.Options, disk: disk);

    [Theory]
    [InlineData(1, new long[] { 5 })]
    [InlineData(2, new long[] { 4, 5 })]
    [InlineData(5, new long[] { 1, 2, 3, 4, 5 })]
    [InlineData(100, new long[] { 1, 2, 3, 4, 5 })]
    public void The_newest_versions_stay(int keep, long[] expected)
    {
        Sync(5, FoldWay.Auto);
        PruneReport report = Engine.Prune(keep, null, CancellationToken.None);
        Assert.Equal(expected, Deltas());
        Assert.Equal((5 - expected.Length, expected.Length, expected[0] - 1), (report.Gone.Count, report.Kept, report.Oldest));
        Assert.Equal(report.Gone.Count > 0, report.FreedBytes > 0);
        Engine.Restore(report.Oldest, null, FoldWay.Auto, CancellationToken.None);
        Assert.Equal(model.Versions[(int)report.Oldest], model.FileChunks());
    }

    [Theory]
    [InlineData(0, new long[] { 5 })]
    [InlineData(1.5, new long[] { 5 })]
    [InlineData(2.5, new long[] { 4, 5 })]
    [InlineData(30, new long[] { 1, 2, 3, 4, 5 })]
    public void Versions_that_are_young_enough_stay_and_always_the_newest(double days, long[] expected)
    {
        Sync(5, FoldWay.Auto);
        Engine.Prune(null, TimeSpan.FromDays(days), CancellationToken.None);
        Assert.Equal(expected, Deltas());
    }

    [Fact]
    public void What_either_rule_keeps_stays()
    {
        Sync(5, FoldWay.Auto);
        Engine.Prune(4, TimeSpan.FromDays(2.5), CancellationToken.None);
        Assert.Equal([2, 3, 4, 5], Deltas());
        Engine.Prune(1, TimeSpan.FromDays(2.5), CancellationToken.None);
        Assert.Equal([4, 5], Deltas());
    }

    [Fact]
    public void A_version_that_the_files_have_not_passed_is_never_taken()
    {
        Sync(2, FoldWay.Auto);
        Sync(3, fold: null);
        Engine.Prune(1, null, CancellationToken.None);
        Assert.Equal([3, 4, 5], Deltas());
    }

    [Fact]
    public void The_oldest_number_is_durable_before_the_first_file_goes()
    {
        Sync(4, FoldWay.Auto);
        List<string> order = [];
        disk.AfterOperation = operation =>
        {
            if (operation.Kind is DiskOperationKind.Rename or DiskOperationKind.Delete or DiskOperationKind.FlushFolder)
            {
                order.Add($"{operation.Kind} {operation.Path.Split('/')[^1]}");
            }
        };
        Engine.Prune(2, null, CancellationToken.None);
        Assert.Equal(
            ["Rename state.json", "FlushFolder .apollo", "Delete 0000000001.delta", "Delete 0000000002.delta", "FlushFolder journal"],
            order.SkipWhile(step => !step.StartsWith("Rename", StringComparison.Ordinal))
        );
    }

    [Fact]
    public void A_full_disk_does_not_stop_it()
    {
        Sync(4, FoldWay.Auto);
        disk.Capacity = (1L << 40) - disk.AvailableBytes("/");
        Assert.Equal(0, disk.AvailableBytes("/"));
        Assert.Equal(3, Engine.Prune(1, null, CancellationToken.None).Gone.Count);
        Assert.Equal([4], Deltas());
        Assert.InRange(disk.AvailableBytes("/"), 1, long.MaxValue);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(0, null)]
    [InlineData(-1, null)]
    [InlineData(null, -1.0)]
    public void Rules_that_make_no_sense_are_refused(int? keepLast, double? keepDays)
    {
        Sync(2, FoldWay.Auto);
        CheckpointException e = Assert.Throws<CheckpointException>(() =>
            Engine.Prune(keepLast, keepDays is { } days ? TimeSpan.FromDays(days) : null, CancellationToken.None)
        );
        Assert.Equal(CheckpointError.Usage, e.Error);
        Assert.Equal([1, 2], Deltas());
    }

    private long[] Deltas() => [.. disk.List(model.Paths.Journal).Select(StatePaths.VersionOf).OfType<long>()];

    /// <summary>One version a day.</summary>
    private void Sync(int count, FoldWay? fold)
    {
        for (int i = 0; i < count; i++)
        {
            using JournalSession session = model.OpenSession();
            model.Sync(session, model.Change(model.Versions.Count), fold);
            time.Advance(TimeSpan.FromDays(1));
        }
    }
}
