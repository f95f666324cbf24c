using ApolloCheckpoint.Engine.Journaling.Folding;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>
/// Everything that writes to a model directory, as it is interrupted. A sync runs through the engine, with its scan and its codec; the
/// others through the journal with one chunk a redo slice, so that crashes fall between slices too.
/// </summary>
internal static class CrashScenarios
{
    /// <summary>The table: name, images a point, distinct images promised, how it is made.</summary>
    internal static IReadOnlyList<CrashScenario> All { get; } =
    [
        new("first sync, patch", 450, 5_200, disk => CrashStages.FirstSync(disk, FoldWay.Patch)),
        new("first sync, replace", 450, 1_300, disk => CrashStages.FirstSync(disk, FoldWay.Replace)),
        new("sync --fold always, patch", 450, 4_800, disk => CrashStages.Sync(disk, FoldWay.Patch, every: 1, waiting: 0)),
        new("sync --fold always, replace", 450, 1_200, disk => CrashStages.Sync(disk, FoldWay.Replace, every: 1, waiting: 0)),
        new("sync --fold always, auto, dense", 450, 1_300, disk => CrashStages.Sync(disk, FoldWay.Auto, every: 1, waiting: 0)),
        new("sync --fold always, auto, sparse", 450, 300, disk => CrashStages.Sync(disk, FoldWay.Auto, every: 1, waiting: 0, "d")),
        new("sync --fold 3, not yet", 450, 240, disk => CrashStages.Sync(disk, FoldWay.Auto, every: 3, waiting: 1)),
        new("sync --fold 3, patch", 450, 4_900, disk => CrashStages.Sync(disk, FoldWay.Patch, every: 3, waiting: 2)),
        new("sync --fold 3, replace", 450, 1_300, disk => CrashStages.Sync(disk, FoldWay.Replace, every: 3, waiting: 2)),
        new("sync --fold 3, auto", 450, 1_200, disk => CrashStages.Sync(disk, FoldWay.Auto, every: 3, waiting: 2)),
        new("sync --baseline", 450, 6_400, CrashStages.SyncWithBaseline),
        new("sync --repair", 1, 20, CrashStages.SyncThatRepairs),
        new("sync --replace-links", 450, 1_400, CrashStages.SyncThatReplacesLinks),
        new("commit and patch, chunk by chunk", 700, 7_500, disk => CrashStages.CommitAndFold(disk, FoldWay.Patch, waiting: 0)),
        new("commit and patch, two waiting", 700, 7_200, disk => CrashStages.CommitAndFold(disk, FoldWay.Patch, waiting: 2)),
        new("commit and replace, two waiting", 700, 3_900, disk => CrashStages.CommitAndFold(disk, FoldWay.Replace, waiting: 2)),
        new("fold, patch", 700, 5_100, disk => CrashStages.Fold(disk, FoldWay.Patch)),
        new("fold, replace", 700, 1_200, disk => CrashStages.Fold(disk, FoldWay.Replace)),
        new("recovery of a commit, process killed", 700, 90, disk => CrashStages.Killed(disk, FoldWay.Patch, CrashStages.AfterCommit)),
        new("recovery of a patch, process killed", 700, 4_700, disk => CrashStages.Killed(disk, FoldWay.Patch, CrashStages.AmidPatch)),
        new(
            "recovery of a patch, redo only named",
            700,
            2_200,
            disk => CrashStages.Killed(disk, FoldWay.Patch, CrashStages.AfterRedoIsNamed)
        ),
        new("recovery of a replace, process killed", 700, 820, disk => CrashStages.Killed(disk, FoldWay.Replace, CrashStages.AmidRenames)),
        new("recovery of a replace, all renamed", 700, 100, disk => CrashStages.Killed(disk, FoldWay.Replace, CrashStages.AfterRenames)),
        new("recovery of an adopt, process killed", 700, 50, CrashStages.KilledAdopt),
        new("recovery without digests and state", 700, 170, CrashStages.Rebuild),
        new("restore in place, patch", 700, 7_900, disk => CrashStages.Restore(disk, FoldWay.Patch, waiting: 0, wanted: 0)),
        new("restore in place, replace", 700, 4_400, disk => CrashStages.Restore(disk, FoldWay.Replace, waiting: 2, wanted: 1)),
        new("restore to a folder", 700, 1_200, CrashStages.Copy),
        new("restore --from a mirror", 900, 16_500, CrashStages.Mirror),
        new("prune", 700, 110, disk => CrashStages.Prune(disk, waiting: 0)),
        new("prune, two waiting", 700, 270, disk => CrashStages.Prune(disk, waiting: 2)),
        new("adopt", 700, 110, disk => CrashStages.Adopt(disk, waiting: 0)),
        new("adopt, two waiting", 700, 110, disk => CrashStages.Adopt(disk, waiting: 2)),
        new("a long life, 1", 120, 6_500, disk => CrashStages.LongLife(disk, 1)),
        new("a long life, 2", 120, 5_100, disk => CrashStages.LongLife(disk, 2)),
        new("a long life, 3", 120, 4_700, disk => CrashStages.LongLife(disk, 3)),
    ];
}
