using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// How ranks are laid out, read off which of them hold which layer: rank = stage × width + place, every layer on all ranks of exactly
/// one stage. That is vLLM's order of pipeline and tensor parallel ranks.
/// </summary>
/// <param name="Width">Tensor-parallel ranks of a stage.</param>
/// <param name="Problem">Why the ranks are not laid out so, or null.</param>
internal sealed record RankGrid(int Width, string? Problem)
{
    /// <summary>Looks at the layers.</summary>
    internal static RankGrid Of(LiveIndex live)
    {
        SortedSet<int> ranks = [.. live.All.Select(tensor => tensor.Rank)];
        Dictionary<string, SortedSet<int>> byLayer = new(StringComparer.Ordinal);
        foreach (LiveTensor tensor in live.All)
        {
            if (LayerOf(tensor.Name) is { } layer)
            {
                (byLayer.TryGetValue(layer, out SortedSet<int>? holders) ? holders : byLayer[layer] = []).Add(tensor.Rank);
            }
        }

        int width = byLayer.Count == 0 ? 0 : byLayer.Values.First().Count;
        bool regular =
            width > 0
            && ranks.Min == 0
            && ranks.Max == ranks.Count - 1
            && ranks.Count % width == 0
            && byLayer.Values.All(holders => holders.Count == width && holders.Min % width == 0 && holders.Max == holders.Min + width - 1);
        return new RankGrid(width, regular ? null : "which rank holds which layer does not tell how the ranks are laid out");
    }

    /// <summary>The tensors of one stage by place, or null when a rank of it does not hold one.</summary>
    /// <param name="found">A tensor on every rank that has it.</param>
    /// <param name="last">The last stage that has it, instead of the first.</param>
    internal IReadOnlyList<LiveTensor>? Stage(IReadOnlyList<LiveTensor> found, bool last)
    {
        int stage = last ? found.Max(tensor => tensor.Rank / Width) : found.Min(tensor => tensor.Rank / Width);
        LiveTensor[] members = [.. found.Where(tensor => tensor.Rank / Width == stage).OrderBy(tensor => tensor.Rank)];
        return members.Length == Width ? members : null;
    }

    /// <summary>"model.layers.12" of "model.layers.12.mlp.down_proj.weight"; null outside the language model's layers.</summary>
    internal static string? LayerOf(string name)
    {
        const string Marker = "layers.";
        int marker = name.IndexOf(Marker, StringComparison.Ordinal);
        int end = marker < 0 ? -1 : name.IndexOf('.', marker + Marker.Length);
        return end < 0 ? null : name[..end];
    }
}
