namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// How the names of one model family on disk become names in vLLM. Data only; sizes come from headers. The live class may differ from
/// the configured one, so that every rule applies only where the live name it leads to exists.
/// </summary>
internal sealed record FamilyRules(string Name, IReadOnlyList<string> Architectures)
{
    /// <summary>Beginnings that change; tried in order after the unchanged name.</summary>
    internal IReadOnlyList<PrefixRule> Prefixes { get; init; } = [];

    /// <summary>Modules that are merged.</summary>
    internal IReadOnlyList<MergeRule> Merges { get; init; } = [];

    /// <summary>Modules whose rows are the vocabulary: live rows beyond those on disk are padding.</summary>
    internal IReadOnlyList<string> Vocabularies { get; init; } = Families.Vocabularies;

    /// <summary>Beginnings of names on disk that vLLM's loader skips.</summary>
    internal IReadOnlyList<string> Skipped { get; init; } = [];

    /// <summary>Live beginnings that a text-only start leaves out, all or nothing.</summary>
    internal IReadOnlyList<string> OptionalTowers { get; init; } = [];

    /// <summary>Whether experts of mixture layers are stacked in w13_weight and w2_weight.</summary>
    internal bool StacksExperts { get; init; }

    /// <summary>
    /// Whether the rules know how every layer is cut over tensor-parallel ranks: rows of merged modules and vocabulary, columns of
    /// o_proj and down_proj, the rest whole. Families that cut a fused tensor in several pieces need parts from the hook.
    /// </summary>
    internal bool CutsByRank { get; init; }
}
