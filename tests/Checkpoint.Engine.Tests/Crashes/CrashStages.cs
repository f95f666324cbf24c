using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Tests.Journaling;
using ApolloCheckpoint.TestKit.Crashing;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>How the rows of <see cref="CrashScenarios"/> that fold, restore and prune are made.</summary>
internal static partial class CrashStages
{
    /// <summary>A sync without its scan: the promise is made at the commit, before the fold.</summary>
    internal static CrashStage CommitAndFold(CrashingDisk disk, FoldWay way, int waiting)
    {
        CrashStage stage = Journaled(disk, folded: 1, waiting);
        byte[][] next = stage.Model.Change(7, "a", "b", "c");
        stage.Versions.Add(next);
        stage.Act = () =>
        {
            using JournalSession session = stage.Model.OpenSession();
            using DeltaWriter writer = JournaledModel.Scan(session, next);
            session.Commit(writer, new VersionFacts { Label = new ConsistencyLabel(ConsistencyKind.Stable) });
            stage.Promised = session.Newest;
            session.Fold(way, CancellationToken.None);
            stage.FilesPromised = session.FilesVersion;
        };
        return stage;
    }

    internal static CrashStage Fold(CrashingDisk disk, FoldWay way)
    {
        CrashStage stage = Journaled(disk, folded: 1, waiting: 3);
        stage.Act = () =>
        {
            using JournalSession session = stage.Model.OpenSession();
            session.Fold(way, CancellationToken.None);
            stage.FilesPromised = session.FilesVersion;
        };
        return stage;
    }

    internal static CrashStage Restore(CrashingDisk disk, FoldWay way, int waiting, int wanted)
    {
        CrashStage stage = Journaled(disk, folded: 2, waiting);
        stage.Versions.Add(stage.Versions[wanted]);
        stage.Act = () =>
        {
            RestoreReport report = stage.History(stage.Disk).Restore(wanted, null, way, CancellationToken.None);
            stage.Promised = report.Version;
            stage.FilesPromised = report.FilesVersion;
        };
        return stage;
    }

    internal static CrashStage Prune(CrashingDisk disk, int waiting)
    {
        CrashStage stage = Journaled(disk, folded: 5, waiting);
        // The first that stays is the second newest, or the first that is not folded.
        stage.OldestKept = Math.Min(stage.Versions.Count - 2, 6) - 1;
        stage.Act = () => stage.History(stage.Disk).Prune(keepLast: 2, null, CancellationToken.None);
        return stage;
    }

    /// <summary>Syncs that fold and that do not, restores, prunes, each on what the one before left.</summary>
    internal static CrashStage LongLife(CrashingDisk disk, int seed)
    {
        CrashStage stage = Journaled(disk, folded: 1, waiting: 0);
        Random random = new(seed);
        stage.Act = () =>
        {
            for (int i = 0; i < 12; i++)
            {
                Live(stage, random);
                stage.Promised = stage.Versions.Count - 1;
            }
        };
        return stage;
    }

    private static void Live(CrashStage stage, Random random)
    {
        FoldWay way = random.Next(2) == 0 ? FoldWay.Patch : FoldWay.Replace;
        switch (random.Next(6))
        {
            case 0:
                // Any of what is older than the kept ones may go from now on.
                stage.OldestKept = stage.Versions.Count - 2;
                stage.History(stage.Disk).Prune(random.Next(2, 5), null, CancellationToken.None);
                break;
            case 1:
                int oldest = (int)Oldest(stage.Model);
                int wanted = oldest + random.Next(stage.Versions.Count - oldest);
                if (!CrashStage.AreSame(stage.Versions[wanted], stage.Versions[^1]))
                {
                    stage.Versions.Add(stage.Versions[wanted]);
                }

                stage.History(stage.Disk).Restore(wanted, null, way, CancellationToken.None);
                break;
            case 2:
                using (JournalSession session = stage.Model.OpenSession())
                {
                    session.Fold(way, CancellationToken.None);
                }

                break;
            default:
                byte[][] next = stage.Model.Change(random.Next(), random.Next(3) == 0 ? ["b"] : []);
                stage.Versions.Add(next);
                using (JournalSession session = stage.Model.OpenSession())
                {
                    stage.Model.Sync(session, next, random.Next(2) == 0 ? way : null);
                }

                break;
        }
    }

    private static long Oldest(JournaledModel model)
    {
        using JournalSession session = model.OpenSession();
        return session.Journal.First?.Parent ?? session.Newest;
    }

    /// <summary>A model with so many versions in its files and so many above them; one chunk a redo slice.</summary>
    private static CrashStage Journaled(CrashingDisk disk, int folded, int waiting)
    {
        JournaledModel model = JournaledModel.Create(disk, CrashStage.Home);
        disk.FlushFolder("/");
        model.Options = CrashStage.Reproducible(model.Options, disk) with { RedoSliceBytes = 1 };
        for (int i = 1; i <= folded + waiting; i++)
        {
            using JournalSession session = model.OpenSession();
            model.Sync(session, model.Change(i, i % 2 == 0 ? ["a", "d"] : []), i <= folded ? FoldWay.Auto : null);
        }

        return new CrashStage(model) { Promised = folded + waiting, FilesPromised = folded };
    }
}
