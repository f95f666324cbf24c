using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Cuda;

/// <summary>Whole syncs from the stand-in's memory: what is copied, how often, in which order, and that the files then hold it.</summary>
[Collection(FakeCuda.Collection)]
[Trait("Ring", "cuda")]
public sealed class CudaSyncTests : IDisposable
{
    private const int Blocks = 3;

    private static readonly TinyTensor[] Tensors =
    [
        new("model.embed_tokens.weight", ElementType.BF16, 2048, 1280), // three chunks
        new("model.layers.0.mlp.down_proj.weight", ElementType.BF16, 512, 96),
        new("model.layers.0.mlp.up_proj.weight", ElementType.BF16, 1024, 1100),
        new("model.layers.1.mlp.down_proj.weight", ElementType.BF16, 511, 97),
        new("model.norm.bias", ElementType.F32, 3),
        new("model.norm.weight", ElementType.F32, 640),
    ];

    private readonly TempDirectory folder = new();
    private readonly TinyModel model;
    private readonly FakeCudaMemory memory;

    public CudaSyncTests()
    {
        model = TinyModel.Write(folder.File("model"), Tensors, shards: 2);
        memory = new FakeCudaMemory(folder.File("gpu"));
        FakeCuda.Setup(memory.Setting);
    }

    private static long ModelBytes => Tensors.Sum(tensor => tensor.ByteLength);

    public void Dispose() => folder.Dispose();

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_byte_is_copied_once_and_every_block_opened_once(int workers)
    {
        using LiveProducer producer = Publish(hasStatePage: false);
        producer.Step(0.01, 7);
        SyncReport report = Sync(ConsistencyMode.None, workers);
        Assert.Equal(("native CUDA", true), (report.Source, report.Changed));
        Assert.Equal($"{FakeCuda.DefaultDevice}; the handles name CUDA memory", report.SourceDetail);
        AssertFilesHold(producer);
        FakeCudaReport ledger = FakeCuda.Report();
        Assert.Empty(ledger.Findings);
        Assert.Equal((ModelBytes, ModelBytes), (ledger["bytes"], ledger["distinct"]));
        Assert.Equal((Blocks, Blocks, 1), (ledger["opens"], ledger["cuIpcCloseMemHandle"], ledger["cuDevicePrimaryCtxRetain"]));
    }

    [SkippableFact]
    public void Copies_overlap_the_comparison_and_go_by_address()
    {
        using LiveProducer producer = Publish(hasStatePage: false);
        Sync(ConsistencyMode.None, workers: 1);
        FakeCudaReport ledger = FakeCuda.Report();
        Assert.Equal((0, 2), (ledger["backward"], ledger["most_in_flight"]));
        // All waits but the last find the next copy under way.
        Assert.Equal(ledger["copies"] - 1, ledger["overlapped_waits"]);
        Assert.Equal(2, ledger["cuMemHostAlloc"]);
    }

    [SkippableFact]
    public void Second_pass_copies_again_what_the_first_one_had()
    {
        using LiveProducer producer = Publish(hasStatePage: false);
        Assert.Equal(ConsistencyKind.Stable, Sync(ConsistencyMode.Auto, workers: 2).Label.Kind);
        FakeCudaReport ledger = FakeCuda.Report();
        Assert.Equal((2 * ModelBytes, ModelBytes, Blocks), (ledger["bytes"], ledger["distinct"], ledger["opens"]));
    }

    [SkippableFact]
    public void A_trainer_that_brackets_its_steps_is_read_once()
    {
        using LiveProducer producer = Publish(hasStatePage: true);
        producer.Step(0.01, 7);
        Assert.Equal(ConsistencyKind.Step, Sync(ConsistencyMode.Auto, workers: 2).Label.Kind);
        Assert.Equal(ModelBytes, FakeCuda.Report()["bytes"]);
        AssertFilesHold(producer);
    }

    [SkippableTheory]
    [InlineData("cuMemcpyDtoHAsync_v2#4=700")]
    [InlineData("cuEventSynchronize#3=719")]
    [InlineData("cuMemHostAlloc#2=2")]
    public void A_copy_that_fails_midway_leaves_the_model_as_it_was(string failure)
    {
        using LiveProducer producer = Publish(hasStatePage: false);
        Sync(ConsistencyMode.None, workers: 2);
        Dictionary<string, byte[]> before = Files();
        producer.Step(0.01, 7);
        FakeCuda.Setup(memory.Setting, $"FAKE_CUDA_FAIL={failure}");
        CheckpointException said = Assert.Throws<CheckpointException>(() => Sync(ConsistencyMode.None, workers: 2));
        Assert.Equal((CheckpointError.SourceUnavailable, $"{model.Path} is unchanged (version 0)"), (said.Error, said.ModelState));
        Assert.Empty(FakeCuda.Report().Findings);
        foreach ((string name, byte[] bytes) in Files())
        {
            Assert.True(bytes.AsSpan().SequenceEqual(before[name]), name);
        }
    }

    [SkippableFact]
    public void A_producer_that_dies_while_it_is_read_is_said()
    {
        using LiveProducer producer = Publish(hasStatePage: false);
        // Its memory goes when the sync has opened it: the plan has been made, and nothing been copied.
        FakeCuda.Setup(memory.Setting, "FAKE_CUDA_FAIL=cuEventSynchronize#1=700");
        CheckpointException said = Assert.Throws<CheckpointException>(() => Sync(ConsistencyMode.None, workers: 1));
        Assert.Equal(
            (
                $"waiting for a copy of tensor \"model.embed_tokens.weight\" from {FakeCuda.DefaultDevice}: CUDA_ERROR_ILLEGAL_ADDRESS",
                "the producer freed the memory while it was read: run again when it is up"
            ),
            (said.Message, said.Next)
        );
    }

    [SkippableFact]
    public void Cancelling_midway_closes_everything()
    {
        using LiveProducer producer = Publish(hasStatePage: false);
        using CancellationTokenSource cancel = new();
        CheckpointException said = Assert.Throws<CheckpointException>(() =>
            SyncEngine.Run(Request(ConsistencyMode.None, workers: 2), new CancelOnAdvance(cancel), cancel.Token)
        );
        Assert.Equal(CheckpointError.Cancelled, said.Error);
        FakeCudaReport ledger = FakeCuda.Report();
        Assert.Empty(ledger.Findings);
        Assert.InRange(ledger["bytes"], 1, ModelBytes - 1);
    }

    private LiveProducer Publish(bool hasStatePage) =>
        LiveProducer.Publish(folder.File("handles"), model, hasStatePage, gpu: memory, allocations: Blocks);

    private SyncReport Sync(ConsistencyMode mode, int workers) =>
        SyncEngine.Run(Request(mode, workers), NoProgress.Instance, CancellationToken.None);

    private SyncRequest Request(ConsistencyMode mode, int workers) =>
        new()
        {
            ModelDirectory = model.Path,
            Handles = folder.File("handles"),
            Consistency = mode,
            Workers = workers,
        };

    private void AssertFilesHold(LiveProducer producer)
    {
        ModelDirectory directory = ModelDirectory.Open(Disk.Instance, model.Path);
        foreach (Shard shard in directory.Layout.Shards)
        {
            byte[] file = File.ReadAllBytes(Path.Combine(model.Path, shard.FileName));
            foreach (TensorEntry entry in shard.Header.Tensors)
            {
                byte[] live = producer.BytesOf(entry.Name);
                Assert.True(file.AsSpan((int)entry.FileOffset, live.Length).SequenceEqual(live), entry.Name);
            }
        }
    }

    private Dictionary<string, byte[]> Files() =>
        Directory.EnumerateFiles(model.Path, "*.safetensors").ToDictionary(path => Path.GetFileName(path), File.ReadAllBytes);

    /// <summary>Cancels when the first chunk of the scan is done.</summary>
    private sealed class CancelOnAdvance(CancellationTokenSource cancel) : IProgressSink
    {
        private string stage = "";

        public void Begin(string stage, long totalBytes) => this.stage = stage;

        public void Advance(long bytes)
        {
            if (stage == "scan")
            {
                cancel.Cancel();
            }
        }

        public void End() { }
    }
}
