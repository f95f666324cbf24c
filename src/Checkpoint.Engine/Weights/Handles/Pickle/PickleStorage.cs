namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>A persistent id: ('storage', type, key, location, number of elements), in legacy files with None behind.</summary>
/// <param name="Type">torch.XStorage, or torch.storage.UntypedStorage.</param>
/// <param name="Key">The record's name; letters, digits, '-' and '_'.</param>
/// <param name="Elements">Elements of the type; bytes when it is untyped.</param>
internal sealed record PickleStorage(PickleGlobal Type, string Key, long Elements);
