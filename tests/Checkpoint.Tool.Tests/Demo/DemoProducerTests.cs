using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Consistency;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Commands;
using ApolloCheckpoint.Tool.Demo;

namespace ApolloCheckpoint.Tool.Tests.Demo;

public class DemoProducerTests
{
    /// <summary>q, k and v of one layer, and gate and up: what is merged; and a scalar, which has no rows.</summary>
    private static readonly TinyTensor[] Layer =
    [
        new("model.embed_tokens.weight", ElementType.BF16, 64, 32),
        new("model.layers.0.self_attn.k_proj.weight", ElementType.BF16, 16, 32),
        new("model.layers.0.self_attn.q_proj.weight", ElementType.BF16, 32, 32),
        new("model.layers.0.self_attn.v_proj.weight", ElementType.BF16, 16, 32),
        new("model.layers.0.mlp.up_proj.weight", ElementType.BF16, 96, 32),
        new("model.layers.0.mlp.gate_proj.weight", ElementType.BF16, 96, 32),
        new("model.scale", ElementType.F32),
    ];

    [Fact]
    public void Model_with_merged_parameters_is_planned_without_mismatch()
    {
        using TempDirectory temp = new();
        TinyModel.Write(temp.File("model"), Layer);
        using DemoProducer producer = Start(temp);
        PlanDescription plan = PlanCommand.Describe(Request(temp), CancellationToken.None);
        Assert.Empty(plan.Mismatches);
        Assert.Equal((7, 4), (plan.MappedTensors, plan.LiveTensors));
    }

    [Fact]
    public void Merged_parameter_holds_q_then_k_then_v()
    {
        using TempDirectory temp = new();
        TinyModel model = TinyModel.Write(temp.File("model"), Layer);
        using DemoProducer producer = Start(temp);
        using OpenedSource source = WeightSources.Open(Request(temp), CancellationToken.None);
        LiveTensor merged = source.Source.Tensors.Single(tensor => tensor.Name == "model.layers.0.self_attn.qkv_proj.weight");
        byte[] live = new byte[merged.ByteLength];
        source.Source.Read(merged, 0, live);
        string[] parts = ["q", "k", "v"];
        Assert.Equal(parts.SelectMany(part => model.BytesOf($"model.layers.0.self_attn.{part}_proj.weight")), live);
    }

    [Fact]
    public void Load_and_steps_are_bracketed_by_the_state_page()
    {
        using TempDirectory temp = new();
        TinyModel.Write(temp.File("model"), Layer);
        using DemoProducer producer = Start(temp);
        producer.Step(CancellationToken.None);
        producer.Step(CancellationToken.None);
        using StatePage page =
            StatePage.TryOpen(temp.File("handles", "state.bin"), FileRules.For(null)) ?? throw new InvalidOperationException("no page");
        Assert.Equal((6ul, 3ul, Environment.ProcessId), (page.Read().Sequence, page.Read().Step, page.Read().WriterPid));
    }

    [Fact]
    public void Second_producer_in_the_same_folder_is_refused()
    {
        using TempDirectory temp = new();
        TinyModel.Write(temp.File("model"), Layer);
        using DemoProducer producer = Start(temp);
        Assert.Equal(CheckpointError.Locked, Assert.Throws<CheckpointException>(() => Start(temp)).Error);
    }

    [Fact]
    public void Producer_that_ends_leaves_nothing()
    {
        using TempDirectory temp = new();
        TinyModel.Write(temp.File("model"), Layer);
        Start(temp).Dispose();
        Assert.Equal([temp.File("model")], Directory.EnumerateFileSystemEntries(temp.Path));
    }

    [Fact]
    public void Missing_model_is_made()
    {
        using TempDirectory temp = new();
        using DemoProducer producer = Start(temp);
        ModelDirectory model = ModelDirectory.Open(Disk.Instance, temp.File("model"));
        Assert.Equal(2, model.Layout.Shards.Count);
        Assert.InRange(model.Layout.DataBytes, 20_000_000, 60_000_000);
    }

    private static DemoProducer Start(TempDirectory temp) =>
        DemoProducer.Start(temp.File("model"), temp.File("handles"), 0.01, CancellationToken.None);

    private static SyncRequest Request(TempDirectory temp) => new() { ModelDirectory = temp.File("model"), Handles = temp.File("handles") };
}
