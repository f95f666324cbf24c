using System.Globalization;

namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>Where a tensor stands in the picture of the model.</summary>
/// <param name="Family">The row: "attention q", "MLP down", "norms".</param>
/// <param name="Layer">The column, or null: it belongs to no layer.</param>
internal readonly record struct TensorPlace(string Family, int? Layer)
{
    private static readonly string[] LayerLists = ["layers", "h", "blocks", "block"];

    /// <summary>The rows that models have, from input to output; others come behind them by name.</summary>
    private static readonly string[] Order =
    [
        "embedding",
        "vision",
        "attention q",
        "attention k",
        "attention v",
        "attention qkv",
        "attention o",
        "linear attention",
        "MLP gate",
        "MLP up",
        "MLP gate up",
        "MLP down",
        "router",
        "experts",
        "shared expert",
        "norms",
        "head",
        "MTP",
    ];

    /// <summary>The place of a family among the rows.</summary>
    public static int RankOf(string family) => Array.IndexOf(Order, family) is var rank && rank >= 0 ? rank : Order.Length;

    /// <summary>The place of a tensor by its name on disk.</summary>
    public static TensorPlace Of(string name)
    {
        string[] words = name.Split('.');
        int list = Array.FindIndex(words, word => LayerLists.Contains(word, StringComparer.Ordinal));
        bool isInLayer =
            list >= 0 && list + 1 < words.Length && int.TryParse(words[list + 1], NumberStyles.None, CultureInfo.InvariantCulture, out _);
        int? layer = isInLayer ? int.Parse(words[list + 1], CultureInfo.InvariantCulture) : null;
        return new TensorPlace(FamilyOf(words, isInLayer ? words[(list + 2)..] : words), layer);
    }

    private static string FamilyOf(string[] all, string[] words)
    {
        bool Has(string part) => Array.Exists(words, word => word.Contains(part, StringComparison.Ordinal));
        return all[0] == "mtp" ? "MTP"
            : all.Contains("visual", StringComparer.Ordinal) || all.Contains("vision_tower", StringComparer.Ordinal) ? "vision"
            : Has("norm") || Has("ln_") ? "norms"
            : Has("linear_attn") ? "linear attention"
            : Has("shared_expert") ? "shared expert"
            : Has("experts") ? "experts"
            : Has("embed") || Has("wte") ? "embedding"
            : Has("lm_head") ? "head"
            : Has("qkv") ? "attention qkv"
            : Has("q_proj") ? "attention q"
            : Has("k_proj") ? "attention k"
            : Has("v_proj") ? "attention v"
            : Has("o_proj") ? "attention o"
            : Has("gate_up") ? "MLP gate up"
            : Has("gate_proj") ? "MLP gate"
            : Has("up_proj") ? "MLP up"
            : Has("down_proj") ? "MLP down"
            : words is [.., "gate", _] || Has("router") ? "router"
            : Other(words);
    }

    private static string Other(string[] words) => words.Length > 1 ? words[^2] : words[^1];
}
