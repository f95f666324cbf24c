namespace ApolloCheckpoint.Mutants;

/// <summary>How one test ended.</summary>
/// <param name="Failure">What it failed with, or null: it passed.</param>
/// <param name="Time">How long it took.</param>
/// <param name="Heard">The guards that had their say in it.</param>
internal sealed record Outcome(string? Failure, TimeSpan Time, int[] Heard);
