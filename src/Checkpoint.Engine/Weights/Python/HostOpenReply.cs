namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>What <c>host.py</c> opened, or why it could not.</summary>
/// <param name="Torch">torch's version, or null.</param>
/// <param name="Python">The interpreter's version, or null.</param>
/// <param name="Tensors">In the order of their numbers, or null.</param>
/// <param name="Error">The failure, or null.</param>
internal sealed record HostOpenReply(string? Torch, string? Python, IReadOnlyList<HostTensor>? Tensors, HostFailure? Error);
