using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.TestKit.Crashing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>Rules of the journal that no other class has: time, space ahead of need, and what it is kept on.</summary>
public sealed class JournalRuleTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private readonly CrashingDisk disk = new();
    private readonly JournaledModel model;

    public JournalRuleTests() => model = JournaledModel.Create(disk, "/model");

    [Fact]
    public void A_clock_that_goes_back_makes_no_version_older_than_its_parent()
    {
        DateTimeOffset[] clock = [Noon, Noon.AddHours(-3), Noon.AddMinutes(-1), Noon.AddMinutes(1)];
        for (int i = 0; i < clock.Length; i++)
        {
            model.Options = model.Options with { Time = new FakeTimeProvider(clock[i]) };
            using JournalSession session = model.OpenSession();
            model.Sync(session, model.Change(i + 1), FoldWay.Patch);
        }

        using JournalSession last = model.OpenSession();
        Assert.Equal([1L, 2L, 3L, 4L], last.Journal.Versions.Select(header => header.Version));
        Assert.Equal(
            [0L, 0L, 0L, 60_000_000_000L],
            last.Journal.Versions.Select(header => header.TimeNs - Noon.ToUnixTimeMilliseconds() * 1_000_000)
        );
    }

    [Fact]
    public void A_clock_that_goes_back_after_a_prune_of_everything_else_still_knows_the_time_of_the_newest()
    {
        model.Options = model.Options with { Time = new FakeTimeProvider(Noon) };
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), FoldWay.Patch);
        model.Sync(session, model.Change(2), FoldWay.Patch);
        session.Prune(100);
        Assert.Equal(Noon.ToUnixTimeMilliseconds() * 1_000_000, Assert.Single(session.Journal.Versions).TimeNs);
    }

    [Fact]
    public void Space_is_taken_before_a_delta_or_a_redo_is_written()
    {
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), FoldWay.Patch);
        Assert.All(
            [model.Paths.WritingDelta, model.Paths.WritingRedo],
            path =>
            {
                DiskOperationKind[] kinds =
                [
                    .. disk.Operations.Where(operation => operation.Path == path).Select(operation => operation.Kind),
                ];
                Assert.Equal([DiskOperationKind.Create, DiskOperationKind.Allocate, DiskOperationKind.Write], kinds.Take(3));
            }
        );
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(1 << 20, 2)]
    public void A_slice_of_a_patch_is_as_long_as_its_redo_has_room_for_what_is_dirty(long sliceBytes, int redos)
    {
        model.Options = model.Options with { RedoSliceBytes = sliceBytes };
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), FoldWay.Patch);

        // Two shards of two chunks each: a redo a chunk, or a redo a shard.
        Assert.Equal(
            redos,
            disk.Operations.Count(operation =>
                operation.Kind == DiskOperationKind.Rename && operation.Path.StartsWith(model.Paths.WritingRedo, StringComparison.Ordinal)
            )
        );
    }

    [Fact]
    public void A_file_system_that_keeps_no_promises_is_refused_before_anything_is_made_on_it()
    {
        disk.Unfit = "nfs is a network file system";

        CheckpointException e = Assert.Throws<CheckpointException>(model.OpenSession);

        Assert.Equal((CheckpointError.FileSystemUnfit, 10), (e.Error, e.ExitCode));
        Assert.Contains("nfs is a network file system", e.Message);
        Assert.Contains("--allow-unfit-file-system", e.Next);
        Assert.Null(disk.Stat(model.Paths.Folder));
    }

    [Fact]
    public void A_file_system_that_gives_one_lock_to_two_holders_is_found_out()
    {
        disk.LocksLie = true;
        CheckpointException e = Assert.Throws<CheckpointException>(model.OpenSession);
        Assert.Equal(CheckpointError.FileSystemUnfit, e.Error);
        Assert.Contains("gives the same lock to two holders", e.Message);
    }

    [Fact]
    public void A_file_system_that_keeps_no_promises_is_taken_when_the_user_insists()
    {
        disk.Unfit = "nfs is a network file system";
        model.Options = model.Options with { AllowUnfitFileSystem = true };
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), FoldWay.Patch);
        Assert.Equal(model.Versions[1], model.FileChunks());
    }
}
