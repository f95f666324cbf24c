namespace ApolloCheckpoint.Tool.Serving;

/// <summary>What one local day cost the SSD, and what the program that this one replaces would have written for the same syncs.</summary>
/// <param name="Day">The day, local time.</param>
/// <param name="Syncs">Syncs that ended well.</param>
/// <param name="Failures">Syncs that did not.</param>
/// <param name="WrittenBytes">Bytes written: deltas and folds.</param>
/// <param name="OldProgramBytes">Bytes of its dump of all weights, and of the changed blocks that it then copied.</param>
internal sealed record DayTotals(DateOnly Day, int Syncs = 0, int Failures = 0, long WrittenBytes = 0, long OldProgramBytes = 0)
{
    /// <summary>With one more run that ended on that day.</summary>
    public DayTotals With(EngineRun run, DateOnly day)
    {
        DayTotals today = day == Day ? this : new DayTotals(day);
        if (run.Kind != RunKind.Sync)
        {
            return today with { WrittenBytes = today.WrittenBytes + (run.Figure("writtenBytes") ?? 0) };
        }

        return run.State == RunState.Done
            ? today with
            {
                Syncs = today.Syncs + 1,
                WrittenBytes = today.WrittenBytes + (run.Figure("writtenBytes") ?? 0),
                OldProgramBytes = today.OldProgramBytes + (run.Figure("comparedBytes") ?? 0) + (run.Figure("changedBlockBytes") ?? 0),
            }
            : today with
            {
                Failures = today.Failures + 1,
            };
    }
}
