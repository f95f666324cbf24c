namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>What <c>host.py</c> opens: a pickle that the user trusts, or tensors that our own parser found.</summary>
/// <param name="Pickle">Where the child opens the file that torch loads and whose handles it calls, or null.</param>
/// <param name="PickleName">What to call that file in messages, or null.</param>
/// <param name="Tensors">The tensors, or null.</param>
internal sealed record HostSourceRequest(string? Pickle, string? PickleName, IReadOnlyList<HostTensorRequest>? Tensors);
