using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>A tensor on disk that is live, and where each of its elements comes from.</summary>
/// <param name="Shard">The shard that holds it.</param>
/// <param name="Entry">The tensor on disk.</param>
/// <param name="Regions">Rectangles that tile the tensor exactly, none overlapping. All live tensors have one element type.</param>
/// <param name="LiveType">Element type in memory.</param>
/// <param name="Rule">The rule that found them, for the plan table: "same name", "handles", "qkv merge".</param>
public sealed record PlannedTensor(Shard Shard, TensorEntry Entry, IReadOnlyList<PlannedRegion> Regions, ElementType LiveType, string Rule)
{
    /// <summary>
    /// Further tilings of the tensor, from copies that other ranks compute with too (norms, key and value heads, a tied head on another
    /// stage). What is saved comes from <see cref="Regions"/>; these must agree with it, or the version says that they did not.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<PlannedRegion>> Copies { get; init; } = [];
}
