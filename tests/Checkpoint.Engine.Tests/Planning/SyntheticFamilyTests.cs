using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>Families at sizes that were not recorded: random heads, widths, vocabularies and layers; the places are worked out here.</summary>
public sealed class SyntheticFamilyTests
{
    [Theory]
    [InlineData("LlamaForCausalLM", "", false)]
    [InlineData("MistralForCausalLM", "", false)]
    [InlineData("Qwen2ForCausalLM", "", true)]
    [InlineData("Qwen3ForCausalLM", "", false)]
    [InlineData("Gemma2ForCausalLM", "", false)]
    [InlineData("Gemma3ForCausalLM", "", false)]
    [InlineData("Olmo2ForCausalLM", "", false)]
    [InlineData("Qwen2_5_VLForConditionalGeneration", "language_model.", true)]
    public void A_dense_model_of_any_size_is_planned(string architecture, string livePrefix, bool bias) =>
        Gen.Int.Sample(seed => AssertDense(new SyntheticModel(new Random(seed)), architecture, livePrefix, bias), iter: 60);

    [Fact]
    public void A_hybrid_model_of_any_size_is_planned() =>
        Gen.Int.Sample(seed => AssertHybrid(new SyntheticModel(new Random(seed))), iter: 60);

    [Theory]
    [InlineData("routed_experts.")]
    [InlineData("")]
    public void A_mixture_model_of_any_size_is_planned(string holder) =>
        Gen.Int.Sample(seed => AssertMixture(new SyntheticModel(new Random(seed)), holder), iter: 60);

    private static void AssertDense(SyntheticModel model, string architecture, string livePrefix, bool bias)
    {
        model.Vocabulary("model.embed_tokens.weight", $"{livePrefix}model.embed_tokens.weight");
        for (int layer = 0; layer < model.Layers; layer++)
        {
            string disk = $"model.layers.{layer}.";
            string live = livePrefix + disk;
            model.Merge(live + "self_attn.qkv_proj.weight", model.Hidden, [.. Attention(model, disk, "weight")]);
            if (bias)
            {
                model.Merge(live + "self_attn.qkv_proj.bias", null, [.. Attention(model, disk, "bias")]);
            }

            model.Merge(
                live + "mlp.gate_up_proj.weight",
                model.Hidden,
                (disk + "mlp.gate_proj.weight", model.Intermediate),
                (disk + "mlp.up_proj.weight", model.Intermediate)
            );
            model.Same(disk + "self_attn.o_proj.weight", live + "self_attn.o_proj.weight", model.Hidden, model.Heads * model.HeadSize);
            model.Same(disk + "input_layernorm.weight", live + "input_layernorm.weight", model.Hidden);
        }

        model.Vocabulary("lm_head.weight", $"{livePrefix}lm_head.weight");
        model.AssertPlanned(architecture);
    }

    private static IEnumerable<(string, long)> Attention(SyntheticModel model, string disk, string parameter) =>
        [
            ($"{disk}self_attn.q_proj.{parameter}", model.Heads * model.HeadSize),
            ($"{disk}self_attn.k_proj.{parameter}", model.KeyValueHeads * model.HeadSize),
            ($"{disk}self_attn.v_proj.{parameter}", model.KeyValueHeads * model.HeadSize),
        ];

    private static void AssertHybrid(SyntheticModel model)
    {
        const string Disk = "model.language_model.layers.0.linear_attn.";
        const string Live = "language_model.model.layers.0.linear_attn.";
        long value = model.Heads * model.HeadSize;
        model.Merge(
            Live + "in_proj_qkvz.weight",
            model.Hidden,
            (Disk + "in_proj_qkv.weight", value * 2),
            (Disk + "in_proj_z.weight", value)
        );
        model.Merge(
            Live + "in_proj_ba.weight",
            model.Hidden,
            (Disk + "in_proj_b.weight", model.Heads),
            (Disk + "in_proj_a.weight", model.Heads)
        );
        model.Same(Disk + "conv1d.weight", Live + "conv1d.weight", value * 2, 1, 4);
        model.Vocabulary("model.language_model.embed_tokens.weight", "language_model.model.embed_tokens.weight");
        model.Vocabulary("lm_head.weight", "language_model.lm_head.weight");
        model.Same("model.visual.pos_embed.weight", "visual.pos_embed.weight", 16, model.Hidden);
        model.AssertPlanned("Qwen3_5ForConditionalGeneration");
    }

    private static void AssertMixture(SyntheticModel model, string holder)
    {
        const string Disk = "model.layers.0.mlp.experts.";
        string live = $"{Disk}{holder}";
        long experts = model.Layers + 1;
        long inner = model.Intermediate;
        for (long expert = 0; expert < experts; expert++)
        {
            model.Piece(
                $"{Disk}{expert}.gate_proj.weight",
                live + "w13_weight",
                [inner, model.Hidden],
                [expert, 0, 0],
                [1, inner, model.Hidden]
            );
            model.Piece(
                $"{Disk}{expert}.up_proj.weight",
                live + "w13_weight",
                [inner, model.Hidden],
                [expert, inner, 0],
                [1, inner, model.Hidden]
            );
            model.Piece(
                $"{Disk}{expert}.down_proj.weight",
                live + "w2_weight",
                [model.Hidden, inner],
                [expert, 0, 0],
                [1, model.Hidden, inner]
            );
        }

        model.Live.Add(new LiveTensor(live + "w13_weight", ElementType.BF16, [experts, 2 * inner, model.Hidden]));
        model.Live.Add(new LiveTensor(live + "w2_weight", ElementType.BF16, [experts, model.Hidden, inner]));
        model.Same("model.layers.0.mlp.gate.weight", "model.layers.0.mlp.gate.weight", experts, model.Hidden);
        model.AssertPlanned("Qwen3MoeForCausalLM");
    }
}
