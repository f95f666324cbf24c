namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>A name that a pickle speaks of. Nothing is imported: it is two words.</summary>
/// <param name="Module">The module.</param>
/// <param name="Name">The name in it.</param>
internal sealed record PickleGlobal(string Module, string Name)
{
    /// <summary>As Python writes it.</summary>
    public override string ToString() => $"{Module}.{Name}";
}
