namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// The table of families. Source: the loaders of vLLM 0.32, and its live tensors compared byte by byte with the files for every family
/// but those that docs/layouts.md lists as not recorded.
/// </summary>
internal static class Families
{
    private static readonly MergeRule Qkv = new("qkv_proj", ["q_proj", "k_proj", "v_proj"]);
    private static readonly MergeRule GateUp = new("gate_up_proj", ["gate_proj", "up_proj"]);

    // b stands before a: the loader's order, and what the bytes say.
    private static readonly MergeRule InProjBa = new("in_proj_ba", ["in_proj_b", "in_proj_a"]);
    private static readonly MergeRule InProjQkvz = new("in_proj_qkvz", ["in_proj_qkv", "in_proj_z"]);

    /// <summary>Last components of names on disk that vLLM computes itself, in every family.</summary>
    internal static readonly IReadOnlyList<string> ComputedByVllm =
    [
        ".rotary_emb.inv_freq",
        ".rotary_emb.cos_cached",
        ".rotary_emb.sin_cached",
    ];

    /// <summary>Modules whose rows are the vocabulary, padded in memory, in every family.</summary>
    internal static readonly IReadOnlyList<string> Vocabularies = ["embed_tokens", "lm_head"];

    /// <summary>No family: only equal names with equal shapes.</summary>
    internal static readonly FamilyRules None = new("names 1:1", []) { Vocabularies = [] };

    private static readonly FamilyRules[] Table =
    [
        Dense("Llama", "LlamaForCausalLM"),
        Dense("Mistral", "MistralForCausalLM"),
        Dense("Qwen2", "Qwen2ForCausalLM"),
        Dense("Qwen3", "Qwen3ForCausalLM"),
        Dense("Gemma 2", "Gemma2ForCausalLM"),
        Dense("Gemma 3", "Gemma3ForCausalLM"),
        Dense("OLMo 2", "Olmo2ForCausalLM") with
        {
            // The q and k norms span all heads there and are cut in a way of their own.
            CutsByRank = false,
        },
        new("Phi-3", ["Phi3ForCausalLM"]),
        new("Qwen2.5-VL", ["Qwen2_5_VLForConditionalGeneration"])
        {
            Prefixes =
            [
                new("model.language_model.", "language_model.model."),
                new("model.visual.", "visual."),
                new("model.", "language_model.model."),
                new("lm_head.", "language_model.lm_head."),
            ],
            Merges = [Qkv, GateUp],
            OptionalTowers = ["visual."],
        },
        new("Qwen3-MoE", ["Qwen3MoeForCausalLM"]) { Merges = [Qkv, GateUp], StacksExperts = true },
        new("Qwen3-Next", ["Qwen3NextForCausalLM"])
        {
            Merges = [Qkv, GateUp],
            Skipped = ["mtp."],
            StacksExperts = true,
        },
        new("Qwen3.5", ["Qwen3_5ForConditionalGeneration", "Qwen3_5ForCausalLM"])
        {
            Prefixes =
            [
                new("model.language_model.", "language_model.model."),
                new("model.language_model.", "model."),
                new("model.visual.", "visual."),
                new("lm_head.", "language_model.lm_head."),
            ],
            Merges = [Qkv, GateUp, InProjQkvz, InProjBa],
            Skipped = ["mtp."],
            OptionalTowers = ["visual."],
        },
    ];

    /// <summary>The first of these architectures that the table has, or null.</summary>
    internal static FamilyRules? Find(IReadOnlyList<string> architectures) =>
        architectures
            .Select(architecture => Array.Find(Table, family => family.Architectures.Contains(architecture, StringComparer.Ordinal)))
            .FirstOrDefault(family => family is not null);

    private static FamilyRules Dense(string name, string architecture) =>
        new(name, [architecture]) { Merges = [Qkv, GateUp], CutsByRank = true };
}
