using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using Xunit;
using static ApolloCheckpoint.Engine.Tests.Planning.SmallPlan;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>What names and rules cannot place is refused by name, all of it at once, and nothing of it is planned.</summary>
public sealed class RefusedPlanTests
{
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
}
