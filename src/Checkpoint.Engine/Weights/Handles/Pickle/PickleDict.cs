namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>A dict or an OrderedDict, in the order of insertion.</summary>
/// <param name="isOrdered">Whether it is a collections.OrderedDict: those may carry a state, which is skipped.</param>
internal sealed class PickleDict(bool isOrdered)
{
    // Made when needed: an empty dict costs one byte of a pickle, and should not cost hundreds of ours.
    private List<(object? Key, object? Value)>? items;
    private Dictionary<string, object?>? byName;

    /// <summary>Whether it is a collections.OrderedDict.</summary>
    internal bool IsOrdered => isOrdered;

    /// <summary>Keys and values, in order; a key may be anything.</summary>
    internal IReadOnlyList<(object? Key, object? Value)> Items => items ?? [];

    /// <summary>Adds a pair.</summary>
    /// <returns>False when the name is there already: Python would let the last one win, other readers the first.</returns>
    internal bool TryAdd(object? key, object? value)
    {
        (items ??= []).Add((key, value));
        return key is not string name || (byName ??= new(StringComparer.Ordinal)).TryAdd(name, value);
    }

    /// <summary>Whether there is a value under the name.</summary>
    internal bool TryGet(string name, out object? value)
    {
        value = null;
        return byName?.TryGetValue(name, out value) == true;
    }
}
