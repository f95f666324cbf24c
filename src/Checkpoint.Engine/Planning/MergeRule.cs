namespace ApolloCheckpoint.Engine.Planning;

/// <summary>Modules on disk whose rows stand one after the other in one live module: "q_proj", "k_proj", "v_proj" in "qkv_proj".</summary>
/// <param name="Live">The live module.</param>
/// <param name="Parts">The modules on disk, in the order of their rows.</param>
internal sealed record MergeRule(string Live, IReadOnlyList<string> Parts)
{
    /// <summary>For the plan table: "qkv_proj merge".</summary>
    internal string Name { get; } = $"{Live} merge";
}
