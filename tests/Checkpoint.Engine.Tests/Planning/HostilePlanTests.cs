using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>What does not fit is refused by name, all of it at once, and nothing of it is planned.</summary>
public sealed class HostilePlanTests
{
    private static readonly ModelConfig Llama = new()
    {
        Architectures = ["LlamaForCausalLM"],
        TieWordEmbeddings = false,
        AttentionHeads = 4,
        KeyValueHeads = 2,
    };

    [Fact]
    public void Overlapping_parts_are_refused()
    {
        LiveTensor live = Live("m", [6, 2], Part("w", Rows(0, 3), Rows(0, 3)), Part("w", Rows(3, 3), Rows(2, 3)));

        SyncPlan plan = Plan(new ModelBuilder().Add("w", 6, 2), live);

        AssertRefused(
            plan,
            "overlap",
            "w",
            "[0:3, 0:2] and [2:5, 0:2] of it are both claimed by live tensors; each element must come from one"
        );
    }

    [Fact]
    public void A_hole_between_parts_is_refused()
    {
        LiveTensor live = Live("m", [6, 2], Part("w", Rows(0, 3), Rows(0, 3)), Part("w", Rows(3, 2), Rows(4, 2)));

        SyncPlan plan = Plan(new ModelBuilder().Add("w", 6, 2), live);

        AssertRefused(plan, "uncovered", "w", "live tensors hold 10 of its 12 elements, shape [6, 2]");
    }

    [Fact]
    public void A_part_outside_either_tensor_is_refused()
    {
        SyncPlan outsideLive = Plan(new ModelBuilder().Add("w", 6, 2), Live("m", [5, 2], Part("w", Rows(0, 6), Rows(0, 6))));
        SyncPlan outsideFile = Plan(new ModelBuilder().Add("w", 6, 2), Live("m", [9, 2], Part("w", Rows(2, 6), Rows(2, 6))));
        SyncPlan otherRank = Plan(new ModelBuilder().Add("w", 12), Live("m", [6, 2], Part("w", Rows(0, 6), Rows(0, 6))));

        AssertRefused(outsideLive, "shape", "w", "[0:6, 0:2] of m [5, 2] goes to [0:6, 0:2] of [6, 2]: outside");
        AssertRefused(outsideFile, "shape", "w", "[2:8, 0:2] of m [9, 2] goes to [2:8, 0:2] of [6, 2]: outside");
        AssertRefused(otherRank, "shape", "w", "[0:6, 0:2] of m [6, 2] goes to [0:6, 0:2] of [12]: outside");
    }

    [Fact]
    public void A_transposed_part_is_refused()
    {
        SyncPlan plan = Plan(new ModelBuilder().Add("w", 6, 2), Live("m", [2, 6], Part("w", Whole(2, 6), Whole(6, 2))));

        AssertRefused(plan, "shape", "w", "[0:2, 0:6] of m and [0:6, 0:2] on disk are not the same elements in the same order");
    }

    [Fact]
    public void Only_replicas_and_unused_copies_are_nothing_to_read()
    {
        LiveTensor live = Live(
            "m",
            [4],
            Part("w", Whole(4), Whole(4)) with
            {
                Unused = true,
            },
            Part("w", Whole(4), Whole(4)) with
            {
                IsReplica = true,
            }
        );

        SyncPlan plan = Plan(new ModelBuilder().Add("w", 4), live);

        AssertRefused(plan, "uncovered", "w", "the handles name 2 copies of it, but none that may be read (all unused, replica or empty)");
    }

    [Fact]
    public void Parts_of_another_model_are_refused()
    {
        SyncPlan plan = Plan(
            new ModelBuilder().Add("w", 4),
            Live("m", [4], Part("w", Whole(4), Whole(4))),
            Live("n", [4], Part("v", Whole(4), Whole(4)))
        );

        Assert.Equal([new PlanMismatch("surplus", "n", "the handles say that whole of it is v, which is not on disk")], plan.Mismatches);
        Assert.Single(plan.Tensors);
    }

    [Theory]
    [InlineData(ElementType.F16, ElementType.BF16)]
    [InlineData(ElementType.F64, ElementType.F32)]
    [InlineData(ElementType.I16, ElementType.BF16)]
    [InlineData(ElementType.F8E4M3, ElementType.BF16)]
    public void Types_that_do_not_convert_both_ways_are_refused(ElementType live, ElementType disk)
    {
        SyncPlan plan = Plan(new ModelBuilder().Add("w", disk, [4]), new LiveTensor("w", live, [4]));

        AssertRefused(plan, "dtype", "w", $"{disk.Name()} on disk, {live.Name()} in w: they cannot be converted without loss both ways");
    }

    [Fact]
    public void Pieces_of_different_types_are_refused()
    {
        LiveTensor first = Live("m", [2], Part("w", Whole(2), new Rectangle([0], [2])));
        LiveTensor second = Live("n", [2], Part("w", Whole(2), new Rectangle([2], [2]))) with { };
        LiveTensor single = new("n", ElementType.F32, [2]) { Parts = second.Parts };

        SyncPlan plan = Plan(new ModelBuilder().Add("w", 4), first, single);

        AssertRefused(plan, "dtype", "w", "comes from m as BF16 and from n as F32; one type was expected");
    }

    [Fact]
    public void A_live_name_published_twice_is_refused()
    {
        SyncPlan plan = Plan(new ModelBuilder().Add("w", 4), Tensor("w", 4), Tensor("w", 4));

        Assert.Equal([new PlanMismatch("overlap", "w", "two live tensors of rank 0 have this name")], plan.Mismatches);
    }

    [Fact]
    public void A_name_published_twice_for_the_same_memory_is_one_tensor()
    {
        SyncPlan plan = Plan(
            new ModelBuilder().Add("w", 4),
            Tensor("w", 4) with
            {
                StorageKey = "0",
            },
            Tensor("w", 4) with
            {
                StorageKey = "0",
            }
        );

        Assert.Empty(plan.Mismatches);
        Assert.Single(plan.Tensors);
    }

    [Fact]
    public void A_scalar_is_planned_and_a_tensor_without_elements_is_left_alone()
    {
        SyncPlan plan = Plan(
            new ModelBuilder().Add("scalar").Add("empty", 0, 3),
            new LiveTensor("scalar", ElementType.BF16, []),
            new LiveTensor("empty", ElementType.BF16, [0, 3])
        );

        Assert.Empty(plan.Mismatches);
        Assert.Equal(Rectangle.Whole([]), Assert.Single(Assert.Single(plan.Tensors).Regions).LiveRectangle);
        Assert.Equal(("empty", "it has no elements"), plan.NotLive.Select(row => (row.Entry.Name, row.Reason)).Single());
    }

    [Fact]
    public void A_live_parameter_that_nothing_takes_is_refused_and_a_buffer_is_not()
    {
        SyncPlan plan = Plan(new ModelBuilder().Add("w", 4), Tensor("w", 4), Tensor("extra.weight", 2, 2), Tensor("attn._k_scale"));

        Assert.Equal([new PlanMismatch("surplus", "extra.weight", "live as BF16 [2, 2], but nothing on disk takes it")], plan.Mismatches);
    }

    [Fact]
    public void An_adapter_is_named_for_what_it_is()
    {
        SyncPlan plan = Plan(
            new ModelBuilder().Add("a.o_proj.weight", 4, 4),
            Tensor("a.o_proj.base_layer.weight", 4, 4),
            Tensor("a.o_proj.lora_a_stacked", 1, 8, 4)
        );

        Assert.Equal(
            "a LoRA adapter: what it learns is not in the base weights, and nothing on disk takes it",
            plan.Mismatches.Single().Text
        );
        Assert.Equal("a.o_proj.base_layer.weight", plan.Tensors.Single().Regions.Single().Live.Name);
    }

    [Fact]
    public void What_the_producer_cannot_vouch_for_is_refused_with_its_reason()
    {
        SyncPlan plan = Plan(
            new ModelBuilder().Add("w", 4).Add("v", 4),
            Tensor("w", 4) with
            {
                Unsupported = "offloaded to the CPU",
            },
            Tensor("v", 4)
        );

        AssertRefused(plan, "unsupported", "w", "w: offloaded to the CPU");
    }

    [Fact]
    public void A_merged_tensor_of_another_size_is_refused_for_each_of_its_parts()
    {
        SyncPlan plan = Plan(Layer(), Llama, Tensor("l.self_attn.qkv_proj.weight", 15, 8));

        Assert.Equal(["shape", "shape", "shape"], plan.Mismatches.Select(row => row.Kind));
        Assert.Equal("its parts make 16 rows of [8, 8] on disk, l.self_attn.qkv_proj.weight is [15, 8]", plan.Mismatches[0].Text);
        Assert.Empty(plan.Tensors);
    }

    [Fact]
    public void A_part_without_its_siblings_is_refused()
    {
        ModelBuilder model = new ModelBuilder().Add("l.self_attn.q_proj.weight", 8, 8).Add("l.self_attn.k_proj.weight", 4, 8);

        SyncPlan plan = Plan(model, Llama, Tensor("l.self_attn.qkv_proj.weight", 12, 8));

        Assert.Equal(["shape", "shape"], plan.Mismatches.Select(row => row.Kind));
        Assert.Equal(
            "it is one part of l.self_attn.qkv_proj.weight, but the files do not hold all of q_proj, k_proj, v_proj",
            plan.Mismatches[0].Text
        );
    }

    [Fact]
    public void Rows_that_are_no_whole_heads_are_refused()
    {
        SyncPlan plan = Plan(Layer(), Llama with { AttentionHeads = 3 }, Tensor("l.self_attn.qkv_proj.weight", 16, 8));

        AssertRefused(plan, "shape", "l.self_attn.q_proj.weight", "8 rows cannot be the 3 heads that config.json says");
    }

    [Fact]
    public void A_missing_live_tensor_is_named_with_the_rows_that_were_expected()
    {
        SyncPlan plan = Plan(Layer().Add("norm.weight", 8), Llama, Tensor("norm.weight", 8));

        Assert.Equal(
            [
                new PlanMismatch(
                    "missing",
                    "l.self_attn.q_proj.weight",
                    "expected rows 0..8 of l.self_attn.qkv_proj.weight, not published"
                ),
                new PlanMismatch(
                    "missing",
                    "l.self_attn.k_proj.weight",
                    "expected rows 8..12 of l.self_attn.qkv_proj.weight, not published"
                ),
                new PlanMismatch(
                    "missing",
                    "l.self_attn.v_proj.weight",
                    "expected rows 12..16 of l.self_attn.qkv_proj.weight, not published"
                ),
            ],
            plan.Mismatches
        );
    }

    [Fact]
    public void An_unknown_family_takes_equal_names_and_refuses_the_rest()
    {
        ModelConfig config = new() { Architectures = ["SomethingNewForCausalLM"] };

        SyncPlan plan = Plan(Layer().Add("norm.weight", 8), config, Tensor("norm.weight", 8), Tensor("l.self_attn.qkv_proj.weight", 16, 8));

        Assert.Equal("norm.weight", plan.Tensors.Single().Entry.Name);
        Assert.Equal(["missing", "missing", "missing", "surplus"], plan.Mismatches.Select(row => row.Kind));
        Assert.Equal(
            "no live tensor has this name, and there are no rules for SomethingNewForCausalLM; handles v2 with parts need no rules",
            plan.Mismatches[0].Text
        );
    }

    [Fact]
    public void A_quantised_model_is_refused_by_rule_and_taken_as_a_plain_copy()
    {
        ModelConfig quantised = Llama with { Quantization = "fp8" };
        ModelBuilder model = Layer().Add("norm.weight", 8);

        SyncPlan byRule = Plan(model, quantised, Tensor("norm.weight", 8), Tensor("l.self_attn.qkv_proj.weight", 16, 8));
        SyncPlan copy = Plan(
            model,
            quantised,
            Tensor("norm.weight", 8),
            Tensor("l.self_attn.q_proj.weight", 8, 8),
            Tensor("l.self_attn.k_proj.weight", 4, 8),
            Tensor("l.self_attn.v_proj.weight", 4, 8)
        );

        Assert.Equal(4, byRule.Mismatches.Count(row => row.Kind == "unsupported"));
        Assert.Empty(byRule.Tensors);
        Assert.Empty(copy.Mismatches);
        Assert.Equal("names 1:1", copy.Family);
    }

    [Fact]
    public void Padding_is_for_vocabularies_alone()
    {
        ModelBuilder model = new ModelBuilder().Add("model.embed_tokens.weight", 5, 2).Add("l.o_proj.weight", 5, 2);

        SyncPlan plan = Plan(model, Llama, Tensor("model.embed_tokens.weight", 8, 2), Tensor("l.o_proj.weight", 8, 2));

        AssertRefused(plan, "shape", "l.o_proj.weight", "[5, 2] on disk, [8, 2] in l.o_proj.weight");
        Assert.Equal(Rectangle.Rows([8, 2], 0, 5), plan.Tensors.Single().Regions.Single().LiveRectangle);
    }

    [Fact]
    public void Weights_that_the_producer_packed_away_are_named_as_such()
    {
        SyncPlan plan = Plan(new ModelBuilder().Add("l.o_proj.weight", 5, 2), Llama, Tensor("l.o_proj.weight", 0));

        AssertRefused(
            plan,
            "shape",
            "l.o_proj.weight",
            "[5, 2] on disk, [0] in l.o_proj.weight; it is empty, so the producer keeps the weights elsewhere"
        );
    }

    [Fact]
    public void Two_names_on_disk_that_lead_to_the_same_rows_are_refused()
    {
        ModelConfig config = new() { Architectures = ["Qwen3_5ForConditionalGeneration"] };
        ModelBuilder model = new ModelBuilder().Add("model.visual.norm.weight", 4).Add("visual.norm.weight", 4);

        SyncPlan plan = Plan(model, config, Tensor("visual.norm.weight", 4));

        Assert.Equal(
            [new PlanMismatch("overlap", "visual.norm.weight", "whole of visual.norm.weight is already taken by model.visual.norm.weight")],
            plan.Mismatches
        );
    }

    [Fact]
    public void Packed_elements_move_only_whole()
    {
        LiveTensor live = new("m", ElementType.F4, [8]) { Parts = [Part("w", new Rectangle([0], [4]), Whole(4))] };
        ModelBuilder model = new ModelBuilder().Add("w", ElementType.F4, [4]);

        Assert.Equal("unsupported", Plan(model, live).Mismatches.Single().Kind);
        Assert.Empty(Plan(model, new LiveTensor("w", ElementType.F4, [4])).Mismatches);
    }

    private static ModelBuilder Layer() =>
        new ModelBuilder()
            .Add("l.self_attn.q_proj.weight", 8, 8)
            .Add("l.self_attn.k_proj.weight", 4, 8)
            .Add("l.self_attn.v_proj.weight", 4, 8);

    private static Rectangle Rows(long start, long length) => Rectangle.Rows([0, 2], start, length);

    private static Rectangle Whole(params long[] shape) => Rectangle.Whole(shape);

    private static LivePart Part(string disk, Rectangle live, Rectangle file) => new(disk, live, file, "full");

    private static LiveTensor Tensor(string name, params long[] shape) => new(name, ElementType.BF16, shape);

    private static LiveTensor Live(string name, long[] shape, params LivePart[] parts) => Tensor(name, shape) with { Parts = parts };

    private static SyncPlan Plan(ModelBuilder model, params LiveTensor[] live) => Plan(model, null, live);

    private static SyncPlan Plan(ModelBuilder model, ModelConfig? config, params LiveTensor[] live) =>
        Planner.Plan(model.Build(), config, live, new Dictionary<string, string>(), new PlanOptions());

    private static void AssertRefused(SyncPlan plan, string kind, string tensor, string text)
    {
        Assert.Equal(new PlanMismatch(kind, tensor, text), plan.Mismatches.First(row => row.Tensor == tensor));
        Assert.DoesNotContain(plan.Tensors, row => row.Entry.Name == tensor);
    }
}
