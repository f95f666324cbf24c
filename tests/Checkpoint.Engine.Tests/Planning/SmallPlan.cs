using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>Plans of a few tensors, and what must be said of them.</summary>
internal static class SmallPlan
{
    internal static readonly ModelConfig Llama = new()
    {
        Architectures = ["LlamaForCausalLM"],
        TieWordEmbeddings = false,
        AttentionHeads = 4,
        KeyValueHeads = 2,
    };

    internal static ModelBuilder Layer() =>
        new ModelBuilder()
            .Add("l.self_attn.q_proj.weight", 8, 8)
            .Add("l.self_attn.k_proj.weight", 4, 8)
            .Add("l.self_attn.v_proj.weight", 4, 8);

    internal static Rectangle Rows(long start, long length) => Rectangle.Rows([0, 2], start, length);

    internal static Rectangle Whole(params long[] shape) => Rectangle.Whole(shape);

    internal static LivePart Part(string disk, Rectangle live, Rectangle file) => new(disk, live, file, "full");

    internal static LiveTensor Tensor(string name, params long[] shape) => new(name, ElementType.BF16, shape);

    internal static LiveTensor Live(string name, long[] shape, params LivePart[] parts) => Tensor(name, shape) with { Parts = parts };

    internal static SyncPlan Plan(ModelBuilder model, params LiveTensor[] live) => Plan(model, null, live);

    internal static SyncPlan Plan(ModelBuilder model, ModelConfig? config, params LiveTensor[] live) =>
        Planner.Plan(model.Build(), config, live, new Dictionary<string, string>(), new PlanOptions());

    internal static void AssertRefused(SyncPlan plan, string kind, string tensor, string text)
    {
        Assert.Equal(new PlanMismatch(kind, tensor, text), plan.Mismatches.First(row => row.Tensor == tensor));
        Assert.DoesNotContain(plan.Tensors, row => row.Entry.Name == tensor);
    }
}
