namespace ApolloCheckpoint.Engine.Planning;

/// <summary>What the user allows the planner to believe.</summary>
/// <param name="TrustMapping">Take places that nobody proved: parts with proof "none", and expert weights placed by rule.</param>
public sealed record PlanOptions(bool TrustMapping = false);
