using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary>What must hold of handles that were taken.</summary>
internal static class HandleProof
{
    /// <summary>Every tensor lies inside its allocation, every part inside its tensor, and no name stands twice.</summary>
    internal static void Check(HandlesFile handles)
    {
        HashSet<(int, string)> names = [];
        foreach (HandleTensor tensor in handles.Tensors)
        {
            bool isInside = tensor.Allocation is null || (Int128)tensor.AllocationOffset + tensor.Layout.Extent <= tensor.Allocation.Size;
            bool hasGoodParts = tensor.Parts is null || tensor.Parts.All(part => part.Live.FitsIn(tensor.Layout.Shape));
            if (!isInside || tensor.AllocationOffset < 0 || !hasGoodParts || !names.Add((tensor.Rank, tensor.Name)))
            {
                throw new FuzzException($"tensor \"{tensor.Name}\" lies outside of its memory, or stands twice");
            }
        }
    }
}
