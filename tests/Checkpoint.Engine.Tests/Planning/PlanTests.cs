using System.Diagnostics;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using Xunit;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Engine.Tests.Planning;

public sealed class PlanTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, string> NothingDeclared = [];

    [Fact]
    public void A_stored_head_and_its_embedding_are_read_once_when_they_are_one_memory()
    {
        ModelBuilder model = new ModelBuilder().Add("model.embed_tokens.weight", 5, 4).Add("lm_head.weight", 5, 4).Add("norm.weight", 4);
        LiveTensor embedding = new("model.embed_tokens.weight", ElementType.BF16, [64, 4]);

        SyncPlan plan = Planner.Plan(
            model.Build(),
            Tied,
            [embedding, new("norm.weight", ElementType.BF16, [4])],
            NothingDeclared,
            new PlanOptions()
        );

        Assert.Empty(plan.Mismatches);
        Assert.Equal(["same name", "tied head", "same name"], plan.Tensors.Select(tensor => tensor.Rule));
        Assert.Equal(
            [
                ["model.embed_tokens.weight", "lm_head.weight"],
                ["norm.weight"],
            ],
            plan.Twins().Select(group => group.Select(tensor => tensor.Entry.Name))
        );
    }

    [Fact]
    public void Two_names_of_one_memory_are_twins_and_two_memories_are_not()
    {
        ModelBuilder model = new ModelBuilder().Add("model.embed_tokens.weight", 5, 4).Add("lm_head.weight", 5, 4);
        LiveTensor embedding = new("model.embed_tokens.weight", ElementType.BF16, [64, 4]) { StorageKey = "7" };
        LiveTensor head = embedding with { Name = "lm_head.weight" };

        SyncPlan one = Planner.Plan(model.Build(), Tied, [embedding, head], NothingDeclared, new PlanOptions());
        SyncPlan two = Planner.Plan(model.Build(), Tied, [embedding, head with { StorageKey = "8" }], NothingDeclared, new PlanOptions());

        Assert.Equal([2], one.Twins().Select(group => group.Count));
        Assert.Equal([1, 1], two.Twins().Select(group => group.Count));
    }

    [Fact]
    public void A_stored_head_that_nothing_holds_is_missing_when_the_model_is_not_tied()
    {
        ModelBuilder model = new ModelBuilder().Add("model.embed_tokens.weight", 5, 4).Add("lm_head.weight", 5, 4);
        LiveTensor embedding = new("model.embed_tokens.weight", ElementType.BF16, [64, 4]);

        SyncPlan plan = Planner.Plan(
            model.Build(),
            Tied with
            {
                TieWordEmbeddings = false,
            },
            [embedding],
            NothingDeclared,
            new PlanOptions()
        );

        Assert.Equal([new PlanMismatch("missing", "lm_head.weight", "expected lm_head.weight, not published")], plan.Mismatches);
    }

    [Fact]
    public void What_the_producer_declares_not_live_is_left_alone_with_its_reason()
    {
        ModelBuilder model = new ModelBuilder().Add("w", 4).Add("mtp.fc.weight", 4);

        SyncPlan plan = Planner.Plan(
            model.Build(),
            config: null,
            [new("w", ElementType.BF16, [4])],
            new Dictionary<string, string> { ["mtp.fc.weight"] = "skipped by the loader" },
            new PlanOptions()
        );

        Assert.Empty(plan.Mismatches);
        Assert.Equal([("mtp.fc.weight", "skipped by the loader")], plan.NotLive.Select(row => (row.Entry.Name, row.Reason)));
    }

    [Fact]
    public void A_vision_tower_that_is_not_loaded_is_left_alone_and_half_a_tower_is_refused()
    {
        ModelConfig config = new() { Architectures = ["Qwen3_5ForConditionalGeneration"] };
        ModelBuilder model = new ModelBuilder()
            .Add("model.language_model.norm.weight", 4)
            .Add("model.visual.a.weight", 4)
            .Add("model.visual.b.weight", 4);
        LiveTensor norm = new("language_model.model.norm.weight", ElementType.BF16, [4]);
        LiveTensor half = new("visual.a.weight", ElementType.BF16, [4]);

        SyncPlan none = Planner.Plan(model.Build(), config, [norm], NothingDeclared, new PlanOptions());
        SyncPlan some = Planner.Plan(model.Build(), config, [norm, half], NothingDeclared, new PlanOptions());

        Assert.Empty(none.Mismatches);
        Assert.Equal(2, none.NotLive.Count);
        Assert.Equal([new PlanMismatch("missing", "model.visual.b.weight", "expected visual.b.weight, not published")], some.Mismatches);
    }

    [Fact]
    public void Further_names_of_a_mixture_layer_are_no_surplus_even_without_the_first_name()
    {
        ModelConfig config = new() { Architectures = ["Qwen3NextForCausalLM"] };
        ModelBuilder model = new ModelBuilder().Add("l.mlp.shared_expert_gate.weight", 1, 4);
        LiveTensor[] live =
        [
            new("l.mlp.shared_expert.expert_gate.weight", ElementType.BF16, [1, 4]),
            new("l.mlp.experts._shared_experts._layer.expert_gate.weight", ElementType.BF16, [1, 4]),
        ];

        SyncPlan plan = Planner.Plan(model.Build(), config, live, NothingDeclared, new PlanOptions());

        Assert.Empty(plan.Mismatches);
        Assert.Equal("l.mlp.shared_expert.expert_gate.weight", plan.Tensors.Single().Regions.Single().Live.Name);
    }

    [Fact]
    public void Ranks_that_are_laid_out_in_no_known_way_are_refused()
    {
        ModelBuilder model = new ModelBuilder().Add("model.layers.0.norm.weight", 4).Add("model.layers.1.norm.weight", 4);
        LiveTensor[] live =
        [
            new("model.layers.0.norm.weight", ElementType.BF16, [4], Rank: 0),
            new("model.layers.1.norm.weight", ElementType.BF16, [4], Rank: 0),
            new("model.layers.1.norm.weight", ElementType.BF16, [4], Rank: 1),
        ];

        SyncPlan plan = Planner.Plan(model.Build(), Tied, live, NothingDeclared, new PlanOptions());

        Assert.Equal(["unsupported", "unsupported"], plan.Mismatches.Select(row => row.Kind));
        Assert.Empty(plan.Tensors);
    }

    [Fact]
    public void A_plan_is_described_live_tensor_by_live_tensor()
    {
        ModelBuilder model = new ModelBuilder()
            .Add("l.mlp.up_proj.weight", 3, 2)
            .Add("norm.weight", ElementType.F32, [2])
            .Add("l.mlp.gate_proj.weight", 3, 2)
            .Add("l.rotary_emb.inv_freq", 2);
        ModelLayout layout = model.Build();
        LiveTensor[] live = [new("l.mlp.gate_up_proj.weight", ElementType.BF16, [6, 2]), new("norm.weight", ElementType.BF16, [2])];

        PlanDescription described = PlanDescription.Of(Planner.Plan(layout, Tied, live, NothingDeclared, new PlanOptions()), layout);

        Assert.Equal(
            [
                new(
                    "l.mlp.gate_up_proj.weight",
                    0,
                    "l.mlp.gate_proj.weight",
                    File,
                    "gate_up_proj merge",
                    "0..3",
                    "0..3",
                    "BF16",
                    "BF16",
                    12
                ),
                new("l.mlp.gate_up_proj.weight", 0, "l.mlp.up_proj.weight", File, "gate_up_proj merge", "3..6", "0..3", "BF16", "BF16", 12),
                new("norm.weight", 0, "norm.weight", File, "same name", "0..2", "0..2", "BF16", "F32", 8),
            ],
            described.Rows
        );
        Assert.Equal([new PlanNotLiveRow("l.rotary_emb.inv_freq", File, "rotary tables are computed, not loaded", 4)], described.NotLive);
        Assert.Equal([("rotary tables are computed, not loaded", 1)], described.NotLiveReasons);
        Assert.Equal(
            ("Llama", 3, 4, 2, 32L, 36L),
            (
                described.Family,
                described.MappedTensors,
                described.TotalTensors,
                described.LiveTensors,
                described.MappedBytes,
                described.TotalBytes
            )
        );
    }

    [Fact]
    public void Ten_thousand_tensors_in_two_hundred_shards_are_planned()
    {
        const int Layers = 1111;
        ModelBuilder model = new();
        List<LiveTensor> live = [];
        for (int layer = 0; layer < Layers; layer++)
        {
            string file = $"model-{layer % 200:000}.safetensors";
            string prefix = $"model.layers.{layer}.";
            foreach ((string name, long[] shape) in LayerOf)
            {
                model.Add(prefix + name, ElementType.BF16, shape, file);
            }

            live.Add(new(prefix + "self_attn.qkv_proj.weight", ElementType.BF16, [128, 64]));
            live.Add(new(prefix + "mlp.gate_up_proj.weight", ElementType.BF16, [192, 64]));
            live.AddRange(LayerOf.Skip(5).Select(row => new LiveTensor(prefix + row.Name, ElementType.BF16, row.Shape)));
        }

        ModelLayout layout = model.Build();
        Planner.Plan(layout, Tied, live, NothingDeclared, new PlanOptions());
        long start = Stopwatch.GetTimestamp();

        SyncPlan plan = Planner.Plan(layout, Tied, live, NothingDeclared, new PlanOptions());

        output.WriteLine($"{plan.Tensors.Count} tensors planned in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0} ms");
        Assert.Empty(plan.Mismatches);
        Assert.Equal(Layers * LayerOf.Length, plan.Tensors.Count);
    }

    private const string File = "model.safetensors";

    private static readonly (string Name, long[] Shape)[] LayerOf =
    [
        ("self_attn.q_proj.weight", [64, 64]),
        ("self_attn.k_proj.weight", [32, 64]),
        ("self_attn.v_proj.weight", [32, 64]),
        ("mlp.gate_proj.weight", [96, 64]),
        ("mlp.up_proj.weight", [96, 64]),
        ("mlp.down_proj.weight", [64, 96]),
        ("self_attn.o_proj.weight", [64, 64]),
        ("input_layernorm.weight", [64]),
        ("post_attention_layernorm.weight", [64]),
    ];

    private static ModelConfig Tied => new() { Architectures = ["LlamaForCausalLM"], TieWordEmbeddings = true };
}
