using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace ApolloCheckpoint.Engine.Tests;

/// <summary>A small model in a temp folder, a live copy that a test changes, and the engine between them.</summary>
internal sealed class SyncScenario : IDisposable
{
    private readonly TempDirectory folder = TempDirectory.InMemory();

    internal SyncScenario(IReadOnlyList<TinyTensor>? tensors = null, int shards = 2)
    {
        Model = TinyModel.Write(folder.File("model"), tensors ?? TinyModel.Small, shards: shards);
        Live = FakeWeightSource.Of(Model);
        Request = new SyncRequest { ModelDirectory = Model.Path };
    }

    internal TinyModel Model { get; }

    internal FakeWeightSource Live { get; set; }

    internal SyncRequest Request { get; set; }

    internal FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));

    internal string File(string name) => folder.File(name);

    internal string ModelFile(string name) => Path.Combine(Model.Path, name);

    internal SyncReport Sync(SyncRequest? request = null, CancellationToken cancel = default)
    {
        FakeWeightSource live = Live;
        SyncEngine engine = new(Disk.Instance, Time, (_, _) => new OpenedSource(new Borrowed(live), "for a test"));
        return engine.Sync(request ?? Request, NoProgress.Instance, cancel);
    }

    internal CheckpointException Refused(SyncRequest? request = null, CancellationToken cancel = default) =>
        Xunit.Assert.Throws<CheckpointException>(() => Sync(request, cancel));

    /// <summary>The bytes that the files hold of a tensor.</summary>
    internal byte[] OnDisk(string name)
    {
        ModelDirectory model = ModelDirectory.Open(Disk.Instance, Model.Path);
        foreach (Shard shard in model.Layout.Shards)
        {
            if (shard.Header.Find(name) is { } tensor)
            {
                using IDiskFile file = Disk.Instance.Open(shard.FilePath);
                byte[] bytes = new byte[tensor.ByteLength];
                file.Read(bytes, tensor.FileOffset);
                return bytes;
            }
        }

        throw new KeyNotFoundException(name);
    }

    /// <summary>The shard that holds a tensor, as its file is now.</summary>
    internal Shard ShardOf(string tensor) =>
        ModelDirectory.Open(Disk.Instance, Model.Path).Layout.Shards.Single(shard => shard.Header.Find(tensor) is not null);

    /// <summary>Whether the files hold the live bytes of every tensor.</summary>
    internal bool FilesAreLive() => Model.Tensors.All(tensor => OnDisk(tensor.Name).AsSpan().SequenceEqual(Live[tensor.Name]));

    public void Dispose() => folder.Dispose();

    /// <summary>The engine disposes its source; the test goes on with it.</summary>
    private sealed class Borrowed(FakeWeightSource source) : IWeightSource
    {
        public string Kind => source.Kind;
        public IReadOnlyList<LiveTensor> Tensors => source.Tensors;
        public ProducerInfo Producer => source.Producer;
        public string? StatePagePath => source.StatePagePath;
        public IReadOnlyDictionary<string, string> DeclaredNotLive => source.DeclaredNotLive;

        public void Read(LiveTensor tensor, long byteOffset, Span<byte> destination) => source.Read(tensor, byteOffset, destination);

        public void Dispose() { }
    }
}
