using ApolloCheckpoint.Engine.Weights.Consistency;

namespace ApolloCheckpoint.Engine.Scanning;

/// <summary>How a model was read.</summary>
/// <param name="Label">What may be said of the bytes.</param>
/// <param name="State">The state page at the end of the read, or null when there is none.</param>
/// <param name="Warnings">What the user should know, a sentence each.</param>
internal sealed record ReadResult(ConsistencyLabel Label, StateSnapshot? State, IReadOnlyList<string> Warnings);
