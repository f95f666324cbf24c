using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Tests.Journaling;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.TestKit.Crashing;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>How the rows of <see cref="CrashScenarios"/> that sync are made: through the engine, with its scan and its codec.</summary>
internal static partial class CrashStages
{
    private static readonly SyncRequest Plain = new() { ModelDirectory = CrashStage.Home, Workers = 1 };

    internal static CrashStage FirstSync(CrashingDisk disk, FoldWay way) => Syncing(Unsynced(disk), Plain with { FoldWay = way });

    /// <param name="way">How shards are folded.</param>
    /// <param name="every">Fold after so many versions.</param>
    /// <param name="waiting">Versions that wait for it already.</param>
    /// <param name="tensors">Those that change; all when none is named.</param>
    internal static CrashStage Sync(CrashingDisk disk, FoldWay way, int every, int waiting, params string[] tensors) =>
        Syncing(Synced(Unsynced(disk), waiting), Plain with { FoldWay = way, FoldEvery = every }, tensors);

    internal static CrashStage SyncWithBaseline(CrashingDisk disk)
    {
        CrashStage stage = Unsynced(disk);
        stage.Model.Options = stage.Model.Options with { BaselineFolder = "/ready" };
        SyncRequest request = Plain with { FoldEvery = 0, Baseline = "/ready" };
        return Syncing(Synced(stage, waiting: 2, request), request, "a", "d");
    }

    /// <summary>Part of a shard was damaged. The repair itself is what brings a crash of it to its end.</summary>
    internal static CrashStage SyncThatRepairs(CrashingDisk disk)
    {
        CrashStage stage = Synced(Unsynced(disk), waiting: 0);
        Damage(stage);
        SyncRequest request = Plain with { Repair = true, FoldWay = FoldWay.Patch };
        Syncing(stage, request);
        byte[][] live = stage.Versions[^1];
        stage.Recover = disk => Run(stage, disk, request, live);
        stage.Check = disk =>
        {
            // Whatever is damaged, nothing else is, and the journal is whole.
            JournaledModel damaged = stage.On(disk);
            damaged.Options = damaged.Options with { Repair = true };
            damaged.OpenSession().Dispose();
            SyncReport report = Run(stage, disk, request, live);
            // Versions before the repair cannot be made any more; from it on they can.
            Xunit.Assert.InRange(report.Version, stage.Promised, stage.Promised + 1);
            Xunit.Assert.Equal(report.Version, report.FilesVersion);
            Xunit.Assert.True(CrashStage.AreSame(live, stage.On(disk).FileChunks()), "the files are not the live model");
            stage.On(disk).OpenSession().Dispose();
        };
        return stage;
    }

    /// <summary>The second shard is a link into a hub cache, whose file must stay as it is.</summary>
    internal static CrashStage SyncThatReplacesLinks(CrashingDisk disk)
    {
        CrashStage stage = Unsynced(disk);
        stage.Model.Options = stage.Model.Options with { ReplaceLinks = true };
        string shard = stage.Model.Open().Layout.Shards[1].FilePath;
        stage.Disk.CreateFolder("/hub");
        stage.Disk.Rename(shard, "/hub/blob");
        stage.Disk.FlushFolder("/hub");
        stage.Disk.FlushFolder(CrashStage.Home);
        stage.Disk.FlushFolder("/");
        stage.Disk.MakeLink(shard, "/hub/blob");
        byte[] blob = Content(stage.Disk, "/hub/blob");
        Syncing(stage, Plain with { ReplaceLinks = true });
        stage.Check = disk =>
        {
            stage.CheckHistory(disk);
            Xunit.Assert.True(blob.AsSpan().SequenceEqual(Content(disk, "/hub/blob")), "the file behind the link was changed");
        };
        return stage;
    }

    private static CrashStage Unsynced(CrashingDisk disk)
    {
        JournaledModel model = JournaledModel.Create(disk, CrashStage.Home);
        disk.FlushFolder("/");
        model.Options = CrashStage.Reproducible(model.Options, disk) with { Codec = CodecPool.Take, BootId = "this boot" };
        return new CrashStage(model);
    }

    /// <summary>One version in the files, so many above them.</summary>
    private static CrashStage Synced(CrashStage stage, int waiting, SyncRequest? request = null)
    {
        for (int i = 0; i <= waiting; i++)
        {
            byte[][] next = stage.Model.Change(i + 1, stage.Versions[^1], i % 2 == 1 ? ["a", "d"] : []);
            stage.Versions.Add(next);
            Run(stage, stage.Disk, (request ?? Plain) with { FoldEvery = i == 0 ? 1 : 0 }, next);
        }

        stage.Promised = waiting + 1;
        stage.FilesPromised = 1;
        return stage;
    }

    private static CrashStage Syncing(CrashStage stage, SyncRequest request, params string[] tensors)
    {
        byte[][] next = stage.Model.Change(77, stage.Versions[^1], tensors);
        stage.Versions.Add(next);
        stage.Act = () =>
        {
            SyncReport report = Run(stage, stage.Disk, request, next);
            stage.Promised = report.Version;
            stage.FilesPromised = report.FilesVersion;
        };
        return stage;
    }

    private static SyncReport Run(CrashStage stage, CrashingDisk disk, SyncRequest request, byte[][] live)
    {
        FakeWeightSource source = new();
        ModelLayout layout = stage.On(disk).Open().Layout;
        for (int ordinal = 0; ordinal < live.Length; ordinal++)
        {
            TensorEntry tensor = layout[ordinal].Tensor;
            source.Add(new LiveTensor(tensor.Name, tensor.Type, tensor.Shape), live[ordinal]);
        }

        SyncEngine engine = new(disk, new DiskClock(disk), (_, _) => new OpenedSource(source, "for a test"))
        {
            Journal = options => CrashStage.Reproducible(options, disk) with { BootId = stage.Model.Options.BootId },
        };
        return engine.Sync(request, NoProgress.Instance, CancellationToken.None);
    }

    private static void Damage(CrashStage stage)
    {
        Chunk chunk = stage.Model.Open().Layout[0];
        using IDiskFile file = stage.Disk.Open(chunk.Shard.FilePath, writable: true);
        file.Write([1, 2, 3, 4, 5], chunk.FileOffset);
        file.Flush();
    }

    private static byte[] Content(CrashingDisk disk, string path)
    {
        using IDiskFile file = disk.Open(path);
        byte[] content = new byte[file.Length];
        file.Read(content, 0);
        return content;
    }
}
