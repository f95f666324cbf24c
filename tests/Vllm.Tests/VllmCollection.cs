namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>The tests that share <see cref="VllmPair"/>.</summary>
[CollectionDefinition(Name)]
public sealed class VllmCollection : ICollectionFixture<VllmPair>
{
    /// <summary>Its name.</summary>
    public const string Name = "served models";
}
