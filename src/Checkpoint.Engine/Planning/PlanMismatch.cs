namespace ApolloCheckpoint.Engine.Planning;

/// <summary>One tensor that does not fit.</summary>
/// <param name="Kind">Short: "missing", "surplus", "shape", "dtype", "unproven", "unsupported", "overlap", "uncovered".</param>
/// <param name="Tensor">Its name, on disk or live.</param>
/// <param name="Text">What was expected and what was found.</param>
public sealed record PlanMismatch(string Kind, string Tensor, string Text);
