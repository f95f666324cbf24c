namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>A tuple. Not a record: two of them are compared by identity, for a hostile one may be of exponential size.</summary>
/// <param name="items">Its items.</param>
internal sealed class PickleTuple(object?[] items)
{
    /// <summary>The empty one.</summary>
    internal static PickleTuple Empty { get; } = new([]);

    /// <summary>Its items.</summary>
    internal object?[] Items => items;
}
