using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Live tensors that nothing on disk takes. Memory that a checkpoint never holds is left out: buffers, further names of memory that
/// is accounted for, and the head that is the embedding. What remains would be trained and never saved.
/// </summary>
internal static class Surplus
{
    internal static void Report(LiveIndex live, DiskIndex disk, ModelConfig? config, PlanDraft draft)
    {
        foreach (LiveTensor tensor in live.All.Where(live.IsDuplicate))
        {
            draft.Refuse("overlap", tensor.Name, $"two live tensors of rank {tensor.Rank} have this name");
        }

        foreach (LiveTensor tensor in live.All.Where(tensor => !live.IsDuplicate(tensor)))
        {
            if (live.IsAccounted(tensor) || LiveNames.IsBuffer(tensor.Name) || IsFurtherName(live, tensor))
            {
                continue;
            }

            if (IsTiedHead(tensor, disk, config) || IsPaddingOfOtherRanks(live, tensor))
            {
                continue;
            }

            if (tensor.Unsupported is { } reason)
            {
                draft.Refuse("unsupported", tensor.Name, reason);
                continue;
            }

            string why = LiveNames.IsAdapter(tensor.Name)
                ? "a LoRA adapter: what it learns is not in the base weights, and nothing on disk takes it"
                : $"live as {Shapes.Text(tensor.Type, tensor.Shape)}, but nothing on disk takes it";
            draft.Refuse("surplus", tensor.Name, why);
        }
    }

    private static bool IsFurtherName(LiveIndex live, LiveTensor tensor) =>
        LiveNames.Canonical(LiveNames.WithoutWrapper(tensor.Name)) is { } name && live.IsAccountedSomewhere(name);

    /// <summary>A small vocabulary can leave the last ranks nothing but padding.</summary>
    private static bool IsPaddingOfOtherRanks(LiveIndex live, LiveTensor tensor) =>
        live.Ranks > 1
        && Families.Vocabularies.Contains(TensorName.Parse(tensor.Name).Module, StringComparer.Ordinal)
        && live.IsAccountedSomewhere(LiveNames.WithoutWrapper(tensor.Name));

    /// <summary>Without a head on disk the embedding is the head, unless config.json says otherwise.</summary>
    private static bool IsTiedHead(LiveTensor tensor, DiskIndex disk, ModelConfig? config) =>
        TensorName.Parse(LiveNames.WithoutWrapper(tensor.Name)).Module == "lm_head" && !disk.HasHead && config?.TieWordEmbeddings != false;
}
