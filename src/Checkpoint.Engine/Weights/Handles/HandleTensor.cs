namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>One named tensor of a handles file, every number proven: it lies inside its allocation.</summary>
/// <param name="Name">The producer's name.</param>
/// <param name="Layout">Type, shape and strides.</param>
internal sealed record HandleTensor(string Name, TensorLayout Layout)
{
    /// <summary>The memory that holds it; null when it has no bytes.</summary>
    internal HandleAllocation? Allocation { get; init; }

    /// <summary>Bytes from the start of the allocation to the tensor's first element.</summary>
    internal long AllocationOffset { get; init; }

    /// <summary>torch's storage offset, elements; 0 where the file knows none.</summary>
    internal long StorageOffset { get; init; }

    /// <summary>The producer's rank.</summary>
    internal int Rank { get; init; }

    /// <summary>Which rectangles are which rectangles on disk, or null.</summary>
    internal IReadOnlyList<LivePart>? Parts { get; init; }

    /// <summary>Why the producer cannot vouch for it, or null.</summary>
    internal string? Unsupported { get; init; }

    /// <summary>Whether the trainer computes gradients for it, as torch says.</summary>
    internal bool RequiresGrad { get; init; }

    /// <summary>The other arguments of torch's rebuild_cuda_tensor, or null for memory of another kind.</summary>
    internal CudaArguments? Cuda { get; init; }

    /// <summary>The same bytes have the same key; null when it has no bytes.</summary>
    internal string? StorageKey(int allocation) => Allocation is null ? null : $"{allocation}+{AllocationOffset}:{Layout.Key}";
}
