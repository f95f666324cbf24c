using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Tests.Journaling;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>
/// Invariants 1, 2 and 3 on a disk whose n-th operation fails, once or from then on, for every n: the command fails with exit code 15 or
/// does not need the operation, and what it leaves is the old or the new model.
/// </summary>
[Trait("Ring", "crash")]
public sealed class FailedOperationTests(ITestOutputHelper output)
{
    private static readonly string[] Names =
    [
        "sync --fold always, patch",
        "sync --fold 3, replace",
        "commit and patch, two waiting",
        "commit and replace, two waiting",
        "restore in place, patch",
        "prune, two waiting",
        "adopt, two waiting",
        "recovery of a patch, process killed",
        "recovery of a replace, process killed",
    ];

    private static readonly (DiskFaultKind Kind, bool IsPersistent)[] Kinds =
    [
        (DiskFaultKind.IoError, false),
        (DiskFaultKind.IoError, true),
        (DiskFaultKind.NoSpace, true),
        (DiskFaultKind.ShortWrite, false),
    ];

    public static TheoryData<string, DiskFaultKind, bool> Failures
    {
        get
        {
            TheoryData<string, DiskFaultKind, bool> rows = [];
            foreach (string name in Names)
            {
                Array.ForEach(Kinds, kind => rows.Add(name, kind.Kind, kind.IsPersistent));
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public void Any_operation_that_fails_leaves_the_old_or_the_new_model(string name, DiskFaultKind kind, bool isPersistent)
    {
        CrashScenario scenario = CrashScenarios.All.Single(row => row.Name == name);
        int failed = 0;
        for (int n = 1; ; n++)
        {
            CrashStage stage = scenario.Prepare();
            CrashingDisk disk = stage.Disk;
            disk.Fault = new DiskFault(disk.Begun + n, kind, isPersistent);
            bool isOver = false;
            try
            {
                stage.Act();
                isOver = disk.Begun < disk.Fault.Operation;
            }
            catch (CheckpointException e)
            {
                Assert.Equal(15, e.ExitCode);
                failed++;
            }

            disk.Fault = null;
            // The machine goes on; then again with the power gone at this moment.
            CrashingDisk lost = CrashImages.Of(disk, new Random(n), 1).First().Disk;
            stage.Check(lost);
            stage.Check(disk.Restarted());
            if (isOver)
            {
                output.WriteLine($"{name}: {kind} at each of {n - 1} operations, {failed} of them failed the command");
                break;
            }
        }

        // What needs no space fails at none of it.
        Assert.InRange(failed, kind == DiskFaultKind.NoSpace ? 0 : 1, int.MaxValue);
    }

    [Fact]
    public void A_folder_that_cannot_be_flushed_after_the_rename_is_a_commit_unknown_and_nothing_is_folded()
    {
        CrashingDisk disk = new();
        JournaledModel model = JournaledModel.Create(disk, CrashStage.Home);
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), FoldWay.Replace);
        using DeltaWriter writer = JournaledModel.Scan(session, model.Change(2));
        disk.AfterOperation = operation =>
            disk.Fault = operation.Kind == DiskOperationKind.Rename ? new DiskFault(disk.Begun + 1, DiskFaultKind.IoError) : disk.Fault;

        CheckpointException e = Assert.Throws<CheckpointException>(() =>
            session.Commit(writer, new VersionFacts { Label = new ConsistencyLabel(ConsistencyKind.Stable) })
        );

        Assert.Equal(CheckpointError.CommitUnknown, e.Error);
        Assert.Equal((1, 1), (session.Newest, session.FilesVersion));
    }
}
