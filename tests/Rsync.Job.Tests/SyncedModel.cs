using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace ApolloCheckpoint.Rsync.Tests;

/// <summary>A small real model with a live producer, synced by the real engine, and a far side in the same temp folder.</summary>
internal sealed class SyncedModel : IDisposable
{
    private readonly TempDirectory folder = TempDirectory.InMemory();
    private readonly LiveProducer live;
    private int seed;

    internal SyncedModel(IReadOnlyList<TinyTensor>? tensors = null, int shards = 2, string name = "tiny model's")
    {
        Directory = folder.File(name);
        Far = folder.File("far side's");
        Tiny = TinyModel.Write(Directory, tensors ?? TinyModel.Small, shards: shards);
        live = LiveProducer.Publish(folder.File("live"), Tiny);
    }

    internal string Directory { get; }

    internal string Far { get; }

    internal TinyModel Tiny { get; }

    internal FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 24, 3, 30, 0, TimeSpan.Zero));

    internal string Current => Path.Combine(Far, "current");

    internal OffsiteOptions Options => new(Directory, new RsyncTarget(null, Far));

    internal string File(string name) => folder.File(name);

    /// <summary>An optimizer step.</summary>
    internal void Train(double share = 0.05) => live.Step(share, ++seed);

    /// <summary>An optimizer step, and a sync.</summary>
    /// <param name="foldEvery">0: the files stay at the version before.</param>
    /// <param name="disk">The disk, or null: the real one.</param>
    /// <param name="way">How shards are folded.</param>
    internal SyncReport Step(int foldEvery = 1, IDisk? disk = null, FoldWay way = FoldWay.Auto)
    {
        Train();
        return Sync(foldEvery, disk, way);
    }

    internal SyncReport Sync(int foldEvery = 1, IDisk? disk = null, FoldWay way = FoldWay.Auto)
    {
        SyncRequest request = new()
        {
            ModelDirectory = Directory,
            Handles = live.Folder,
            FoldEvery = foldEvery,
            FoldWay = way,
            Workers = 1,
        };
        return new SyncEngine(disk ?? Disk.Instance, Time, WeightSources.Open).Sync(request, NoProgress.Instance, CancellationToken.None);
    }

    internal OffsiteJob Job(OffsiteOptions? options = null, int hoursLater = 0)
    {
        Time.Advance(TimeSpan.FromHours(hoursLater));
        return new OffsiteJob(options ?? Options, Disk.Instance, Time);
    }

    internal Task<OffsiteReport> Ship(OffsiteOptions? options = null, int hoursLater = 0) =>
        Job(options, hoursLater).RunAsync(CancellationToken.None);

    internal async Task<CheckpointException> Refused(OffsiteOptions? options = null) =>
        await Xunit.Assert.ThrowsAsync<CheckpointException>(() => Ship(options));

    internal string Snapshot(string name) => Path.Combine(Far, "snapshots", name);

    internal void Write(string name, string text)
    {
        string path = Path.Combine(Directory, name);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, text);
    }

    /// <summary>Whether a model directory holds the live bytes of every tensor.</summary>
    internal bool HoldsLive(string directory)
    {
        ModelDirectory model = ModelDirectory.Open(Disk.Instance, directory);
        foreach (Shard shard in model.Layout.Shards)
        {
            using IDiskFile file = Disk.Instance.Open(shard.FilePath);
            foreach (TensorEntry tensor in shard.Header.Tensors)
            {
                byte[] bytes = new byte[tensor.ByteLength];
                file.Read(bytes, tensor.FileOffset);
                if (!bytes.AsSpan().SequenceEqual(live.BytesOf(tensor.Name)))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>What a person would do after a disaster: copy the current copy back, and let the tool bring it to its newest version.</summary>
    internal async Task<string> RestoreFromFarSide()
    {
        string back = folder.File("back-" + Guid.NewGuid().ToString("N"));
        await CliWrap.Cli.Wrap("rsync").WithArguments(["-a", Current + "/", back + "/"]).ExecuteAsync();
        HeldModel.Recover(Disk.Instance, back, fold: true, Time, CancellationToken.None);
        return back;
    }

    internal static string[] Files(string root) =>
        [
            .. System
                .IO.Directory.GetFiles(root, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(root, path))
                .Order(StringComparer.Ordinal),
        ];

    internal static FileEntry Stat(string path) => Disk.Instance.Stat(path) ?? throw new FileNotFoundException(path);

    public void Dispose()
    {
        live.Dispose();
        folder.Dispose();
    }
}
