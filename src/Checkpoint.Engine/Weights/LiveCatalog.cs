using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights;

/// <summary>The live tensors of a handles file, and the way back from a live tensor to its place in memory.</summary>
internal sealed class LiveCatalog
{
    private readonly Dictionary<LiveTensor, HandleTensor> places = new(ReferenceEqualityComparer.Instance);

    /// <summary>Makes one live tensor for each of the file's.</summary>
    internal LiveCatalog(HandlesFile handles)
    {
        Dictionary<HandleAllocation, int> numbers = new(ReferenceEqualityComparer.Instance);
        List<LiveTensor> tensors = [];
        foreach (HandleTensor tensor in handles.Tensors)
        {
            int number =
                tensor.Allocation is null ? -1
                : numbers.TryAdd(tensor.Allocation, numbers.Count) ? numbers.Count - 1
                : numbers[tensor.Allocation];
            LiveTensor live = new(tensor.Name, tensor.Layout.Type, tensor.Layout.Shape, tensor.Rank)
            {
                Parts = tensor.Parts,
                Unsupported = tensor.Unsupported,
                StorageKey = tensor.StorageKey(number),
                Address = tensor.Allocation is null ? null : (number, tensor.AllocationOffset),
            };
            tensors.Add(live);
            places.Add(live, tensor);
        }

        Tensors = tensors;
    }

    /// <summary>All of them, in the order of the file.</summary>
    internal IReadOnlyList<LiveTensor> Tensors { get; }

    /// <summary>Where a tensor is, after checking that the range lies inside it.</summary>
    /// <exception cref="ArgumentException">Not one of <see cref="Tensors"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the tensor.</exception>
    internal HandleTensor Find(LiveTensor tensor, long byteOffset, int length)
    {
        if (!places.TryGetValue(tensor, out HandleTensor? place))
        {
            throw new ArgumentException($"tensor {tensor.Name} is not of this source", nameof(tensor));
        }

        CheckRange(tensor, byteOffset, length);
        return place;
    }

    /// <summary>Checks that a range lies inside a tensor.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the tensor.</exception>
    internal static void CheckRange(LiveTensor tensor, long byteOffset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset, tensor.ByteLength - length);
    }
}
