namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>A tuple. Not a record: two of them are compared by identity, for a hostile one may be of exponential size.</summary>
/// <param name="items">Its items.</param>
internal sealed class PickleTuple(object?[] items)
{
    /// <summary>The empty one.</summary>
    internal static PickleTuple Empty { get; } = new([]);

    /// <summary>Its items.</summary>
    internal object?[] Items => items;

    /// <summary>Tuples inside each other: 1 when no item is one.</summary>
    internal int Depth { get; } = 1 + items.Max(item => (item as PickleTuple)?.Depth) ?? 1;
}
