namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>A list.</summary>
internal sealed class PickleList
{
    private List<object?>? items;

    /// <summary>Its items.</summary>
    internal IReadOnlyList<object?> Items => items ?? [];

    /// <summary>Adds to the end.</summary>
    internal void Append(object?[] more) => (items ??= []).AddRange(more);
}
