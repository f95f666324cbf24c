using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Tests.Journaling;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>How the rows of <see cref="CrashScenarios"/> that copy, repair from a copy and adopt are made.</summary>
internal static partial class CrashStages
{
    /// <summary>The name of the copy stands for a whole copy or for nothing; the model is not touched.</summary>
    internal static CrashStage Copy(CrashingDisk disk)
    {
        CrashStage stage = Journaled(disk, folded: 1, waiting: 1);
        bool isDone = false;
        stage.Act = () =>
        {
            stage.History(stage.Disk).RestoreCopy(0, "/copy", null, CancellationToken.None);
            isDone = true;
        };
        stage.Check = disk =>
        {
            bool isThere = disk.Stat("/copy") is not null;
            Assert.True(isThere || !isDone, "a copy that was reported is not there");
            if (isThere)
            {
                stage.RequireVersion(0, new JournaledModel(disk, "/copy").FileChunks(), "the copy");
                Assert.Equal(Content(disk, $"{CrashStage.Home}/config.json"), Content(disk, "/copy/config.json"));
            }
            else
            {
                // What was begun is cleared by the next one.
                stage.History(disk).RestoreCopy(1, "/copy", null, CancellationToken.None);
                stage.RequireVersion(1, new JournaledModel(disk, "/copy").FileChunks(), "the copy after a second try");
            }

            stage.CheckHistory(disk);
        };
        return stage;
    }

    /// <summary>Part of a shard was damaged. The restore itself is what brings a crash of it to its end.</summary>
    internal static CrashStage Mirror(CrashingDisk disk)
    {
        CrashStage stage = Journaled(disk, folded: 2, waiting: 0);
        stage.Disk.CreateFolder("/mirror");
        new FolderCopy(stage.Disk, []).Run(CrashStage.Home, "/mirror", CancellationToken.None);
        stage.Disk.FlushFolder("/");
        Damage(stage);
        stage.Act = () => stage.Recover(stage.Disk);
        stage.Recover = disk => stage.History(disk).Restore(null, "/mirror", FoldWay.Patch, CancellationToken.None);
        stage.Check = disk =>
        {
            stage.Recover(disk);
            stage.RequireVersion(stage.Versions.Count - 1, stage.On(disk).FileChunks(), "the repaired files");
            stage.On(disk).OpenSession().Dispose();
        };
        return stage;
    }

    /// <summary>The old history or the new one, and the old journal whole in either case.</summary>
    internal static CrashStage Adopt(CrashingDisk disk, int waiting)
    {
        CrashStage stage = Journaled(disk, folded: 2, waiting);
        int count = stage.Versions.Count;
        byte[][] files = stage.Model.FileChunks();
        string[] deltas = [.. stage.Disk.List(stage.Model.Paths.Journal)];
        string lineage = LineageOf(stage.Model);
        bool isDone = false;
        stage.Act = () =>
        {
            stage.History(stage.Disk).Adopt(CancellationToken.None);
            isDone = true;
        };
        stage.Check = disk =>
        {
            JournaledModel after = stage.On(disk);
            using JournalSession session = after.OpenSession();
            bool isNew = session.Lineage.ToString() != lineage;
            Assert.True(isNew || !isDone, "an adopt that was reported is not there");
            Assert.Equal(isNew ? count : count - 1, session.Newest);
            Assert.True(CrashStage.AreSame(files, after.FileChunks()), "the files were changed");
            Assert.Equal(deltas, disk.List(isNew ? $"{after.Paths.Folder}/journal.before-{count:D10}" : after.Paths.Journal));
            Assert.True(CrashStage.AreSame(isNew ? files : stage.Versions[^1], after.BaselineChunks(session)), "the newest version");
            if (!isNew)
            {
                stage.RequireHistory(session, files);
            }
        };
        return stage;
    }

    private static string LineageOf(JournaledModel model)
    {
        using JournalSession session = model.OpenSession();
        return session.Lineage.ToString();
    }
}
