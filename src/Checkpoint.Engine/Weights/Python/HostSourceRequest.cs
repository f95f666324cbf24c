namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>What <c>host.py</c> opens: a pickle that the user trusts, or tensors that our own parser found.</summary>
/// <param name="Pickle">Path of the file that torch loads and whose handles it calls, or null.</param>
/// <param name="Tensors">The tensors, or null.</param>
internal sealed record HostSourceRequest(string? Pickle, IReadOnlyList<HostTensorRequest>? Tensors);
