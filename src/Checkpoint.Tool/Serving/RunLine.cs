namespace ApolloCheckpoint.Tool.Serving;

/// <summary>One line of the history: a run that began or ended, and the day's totals after it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Day">The totals, or null before the first end.</param>
internal sealed record RunLine(EngineRun Run, DayTotals? Day);
