using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>
/// Invariants 1, 2 and 3 on a disk that forgets: whatever a power cut leaves, at any operation of a run, the next opening finds exactly
/// the old or exactly the new version, and never less than what was promised.
/// </summary>
public sealed class JournalCrashTests
{
    private const string Path = "/model";
    private const int ImagesAPoint = 12;

    /// <summary>How the run under test folds; null: it leaves the delta unfolded.</summary>
    public static TheoryData<FoldWay?, bool> Runs { get; } =
        new()
        {
            { null, false },
            { FoldWay.Patch, false },
            { FoldWay.Replace, false },
            { FoldWay.Patch, true },
            { FoldWay.Replace, true },
        };

    [Theory]
    [MemberData(nameof(Runs))]
    public void Any_crash_of_a_sync_leaves_the_old_or_the_new_model(FoldWay? fold, bool hasChain)
    {
        (CrashingDisk disk, JournaledModel model) = Prepare(hasChain);
        int checkedImages = CrashEverywhere(disk, model, fold, (image, progress) => CheckImage(image.Disk, model, progress));

        Assert.InRange(checkedImages, 40, int.MaxValue);
    }

    [Theory]
    [InlineData(FoldWay.Patch)]
    [InlineData(FoldWay.Replace)]
    public void A_crash_while_recovering_from_a_crash_leaves_the_old_or_the_new_model(FoldWay fold)
    {
        (CrashingDisk disk, JournaledModel model) = Prepare(hasChain: false);
        List<(CrashImage Image, Progress Progress)> firsts = [];
        CrashEverywhere(disk, model, fold, (image, progress) => firsts.Add((image, progress)));
        Random random = new(5);
        HashSet<UInt128> seen = [];
        foreach ((CrashImage first, Progress progress) in firsts.OrderBy(_ => random.Next()).Take(15))
        {
            CrashingDisk recovering = first.Disk;
            recovering.AfterOperation = _ =>
            {
                foreach (CrashImage second in CrashImages.Of(recovering, random, 4).Where(image => seen.Add(image.Hash)))
                {
                    CheckImage(second.Disk, model, progress);
                }
            };
            JournalSession session = On(recovering, model).OpenSession();
            recovering.AfterOperation = null;
            session.Dispose();
        }

        Assert.InRange(seen.Count, 50, int.MaxValue);
    }

    [Theory]
    [InlineData(DiskFaultKind.IoError, false, FoldWay.Patch)]
    [InlineData(DiskFaultKind.IoError, true, FoldWay.Patch)]
    [InlineData(DiskFaultKind.NoSpace, true, FoldWay.Patch)]
    [InlineData(DiskFaultKind.ShortWrite, false, FoldWay.Patch)]
    [InlineData(DiskFaultKind.IoError, false, FoldWay.Replace)]
    [InlineData(DiskFaultKind.IoError, true, FoldWay.Replace)]
    [InlineData(DiskFaultKind.NoSpace, true, FoldWay.Replace)]
    [InlineData(DiskFaultKind.ShortWrite, false, FoldWay.Replace)]
    public void Any_operation_that_fails_leaves_the_old_or_the_new_model(DiskFaultKind kind, bool isPersistent, FoldWay fold)
    {
        int failed = 0;
        for (int n = 1; ; n++)
        {
            (CrashingDisk disk, JournaledModel model) = Prepare(hasChain: false);
            disk.Fault = new DiskFault(disk.Begun + n, kind, isPersistent);
            Progress progress = new();
            bool isOver = false;
            try
            {
                Run(model, fold, progress);
                isOver = disk.Begun < disk.Fault.Operation;
            }
            catch (CheckpointException e)
            {
                Assert.Equal(15, e.ExitCode);
                failed++;
            }

            disk.Fault = null;
            CheckImage(disk, model, progress);
            if (isOver)
            {
                break;
            }
        }

        Assert.InRange(failed, 5, int.MaxValue);
    }

    [Fact]
    public void A_folder_that_cannot_be_flushed_after_the_rename_is_a_commit_unknown_and_nothing_is_folded()
    {
        (CrashingDisk disk, JournaledModel model) = Prepare(hasChain: false);
        using JournalSession session = model.OpenSession();
        using DeltaWriter writer = JournaledModel.Scan(session, model.Change(2));
        disk.AfterOperation = operation =>
            disk.Fault = operation.Kind == DiskOperationKind.Rename ? new DiskFault(disk.Begun + 1, DiskFaultKind.IoError) : disk.Fault;

        CheckpointException e = Assert.Throws<CheckpointException>(() =>
            session.Commit(writer, new VersionFacts { Label = new ConsistencyLabel(ConsistencyKind.Stable) })
        );

        Assert.Equal(CheckpointError.CommitUnknown, e.Error);
        Assert.Equal((1, 1), (session.Newest, session.FilesVersion));
    }

    /// <summary>A directory at version 1, or at version 3 of which two are not folded.</summary>
    private static (CrashingDisk Disk, JournaledModel Model) Prepare(bool hasChain)
    {
        CrashingDisk disk = new();
        JournaledModel model = JournaledModel.Create(disk, Path);
        disk.FlushFolder("/");
        // Several slices a shard, so that crashes fall between them too.
        model.Options = model.Options with
        {
            RedoSliceBytes = 1,
        };
        using JournalSession session = model.OpenSession();
        model.Sync(session, model.Change(1), FoldWay.Replace);
        if (hasChain)
        {
            model.Sync(session, model.Change(2, "a", "b"), fold: null);
            model.Sync(session, model.Change(3, "b", "d"), fold: null);
        }

        return (disk, model);
    }

    private static void Run(JournaledModel model, FoldWay? fold, Progress progress)
    {
        byte[][] next = model.Change(7, "a", "b", "c");
        progress.Old = model.Versions.Count - 1;
        progress.Next = next;
        using JournalSession session = model.OpenSession();
        using DeltaWriter writer = JournaledModel.Scan(session, next);
        session.Commit(writer, new VersionFacts { Label = new ConsistencyLabel(ConsistencyKind.Stable) });
        progress.IsCommitted = true;
        if (fold is { } way)
        {
            progress.IsFolded = session.Fold(way, CancellationToken.None).Warning is null;
        }
        else
        {
            session.SaveState();
        }
    }

    /// <summary>Runs a sync, and at each of its operations goes through what a power cut could leave.</summary>
    private static int CrashEverywhere(CrashingDisk disk, JournaledModel model, FoldWay? fold, Action<CrashImage, Progress> visit)
    {
        Random random = new(3);
        HashSet<UInt128> seen = [];
        Progress progress = new();
        disk.AfterOperation = _ =>
        {
            foreach (CrashImage image in CrashImages.Of(disk, random, ImagesAPoint).Where(image => seen.Add(image.Hash)))
            {
                visit(image, progress.Copy());
            }
        };
        Run(model, fold, progress);
        disk.AfterOperation = null;
        CheckImage(CrashImages.Of(disk, random, 1).First().Disk, model, progress);
        return seen.Count;
    }

    private static void CheckImage(CrashingDisk disk, JournaledModel model, Progress progress)
    {
        JournaledModel after = On(disk, model);
        using JournalSession session = after.OpenSession();
        byte[][] newest = session.Newest == progress.Old ? model.Versions[progress.Old] : progress.Next;
        Assert.InRange(session.Newest, progress.IsCommitted ? progress.Old + 1 : progress.Old, progress.Old + 1);
        Assert.Equal(newest, after.BaselineChunks(session));
        byte[][] files = session.FilesVersion > progress.Old ? progress.Next : model.Versions[(int)session.FilesVersion];
        Assert.Equal(files, after.FileChunks());
        Assert.True(!progress.IsFolded || session.FilesVersion == session.Newest, "a fold that was reported is not there");
        Assert.Null(session.Fold(FoldWay.Auto, CancellationToken.None).Warning);
        Assert.Equal(newest, after.FileChunks());
        Assert.Empty(disk.List(after.Paths.Redo));
    }

    private static JournaledModel On(CrashingDisk disk, JournaledModel model) => new(disk, Path) { Options = model.Options };

    /// <summary>How far a run came: what it may have promised.</summary>
    private sealed class Progress
    {
        internal int Old { get; set; }

        internal byte[][] Next { get; set; } = [];

        internal bool IsCommitted { get; set; }

        internal bool IsFolded { get; set; }

        internal Progress Copy() => (Progress)MemberwiseClone();
    }
}
