namespace ApolloCheckpoint.AppHost;

/// <summary>Marks a service of the pipeline.</summary>
/// <param name="TokenFile">The token that its commands show.</param>
internal sealed record ServiceAnnotation(string TokenFile) : IResourceAnnotation;
