namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// What the names of live tensors say by themselves, whatever the family. Source: names recorded from running vLLM
/// (tests/fixtures/layouts) and its layer classes.
/// </summary>
internal static class LiveNames
{
    /// <summary>LoRA wraps a layer, whose weights then stand one level deeper.</summary>
    private const string Wrapper = ".base_layer.";

    /// <summary>Last components of tensors that vLLM keeps beside the parameters and that no checkpoint holds.</summary>
    private static readonly HashSet<string> Buffers = new(StringComparer.Ordinal)
    {
        "cos_sin_cache",
        "cos_cached",
        "sin_cached",
        "inv_freq",
        "_q_scale",
        "_k_scale",
        "_v_scale",
        "_prob_scale",
        "normalizer",
        "_expert_map",
    };

    /// <summary>Second names of modules inside mixture layers, and the first name. The longer ones first.</summary>
    private static readonly (string Alias, string Canonical)[] Aliases =
    [
        (".mlp.experts._shared_experts._layer.expert_gate.", ".mlp.shared_expert_gate."),
        (".mlp.experts._shared_experts._layer.", ".mlp.shared_expert."),
        (".mlp.shared_expert.expert_gate.", ".mlp.shared_expert_gate."),
        (".mlp.experts.gate.", ".mlp.gate."),
    ];

    /// <summary>The name without LoRA's wrapper.</summary>
    internal static string WithoutWrapper(string name) => name.Replace(Wrapper, ".", StringComparison.Ordinal);

    /// <summary>The first name of a tensor that has several, or null when this is no second name.</summary>
    internal static string? Canonical(string name)
    {
        foreach ((string alias, string canonical) in Aliases)
        {
            if (name.Contains(alias, StringComparison.Ordinal))
            {
                return name.Replace(alias, canonical, StringComparison.Ordinal);
            }
        }

        return null;
    }

    /// <summary>Whether it is a buffer: derived data or a constant, never on disk.</summary>
    internal static bool IsBuffer(string name) => Buffers.Contains(name[(name.LastIndexOf('.') + 1)..]);

    /// <summary>Whether it belongs to a LoRA adapter, whose changes are not in the base weights.</summary>
    internal static bool IsAdapter(string name) => name.Contains("lora_", StringComparison.OrdinalIgnoreCase);
}
