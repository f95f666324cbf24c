namespace ApolloCheckpoint.Engine.Journaling.Baselines;

/// <summary>
/// Which way brings a chunk of a file in for less: its pages into a mapping, or a copy by position. Neither is always right. Where the
/// page cache holds a file in large folios a mapping costs a third of a copy, where it holds single pages up to six times as much
/// (decision 0003), and nothing tells which it is but the clock. So both are tried, and the cheaper one goes on. Thread-safe.
/// </summary>
internal sealed class CheaperWay
{
    /// <summary>The dearer way is tried again once in so many chunks: another file may lie otherwise, and a measurement may have been bad luck.</summary>
    private const int TrialEvery = 64;

    private readonly Lock gate = new();
    private int chunks;

    // Smoothed; in ticks of the clock a byte. Not a number until it was measured.
    private double mapping = double.NaN;
    private double copy = double.NaN;

    /// <summary>Whether the next chunk is to be brought in by the mapping.</summary>
    internal bool IsMapping()
    {
        lock (gate)
        {
            bool isTrial = chunks++ % TrialEvery == TrialEvery - 1;
            return (double.IsNaN(mapping), double.IsNaN(copy)) switch
            {
                (true, _) => true,
                (_, true) => false,
                _ => mapping <= copy != isTrial,
            };
        }
    }

    /// <summary>Takes in how long it took.</summary>
    /// <param name="wasMapping">The way.</param>
    /// <param name="ticks">Time, in ticks of the clock.</param>
    /// <param name="bytes">Length of the chunk.</param>
    internal void Measured(bool wasMapping, long ticks, int bytes)
    {
        double cost = (double)ticks / Math.Max(1, bytes);
        lock (gate)
        {
            if (wasMapping)
            {
                mapping = Smooth(mapping, cost);
            }
            else
            {
                copy = Smooth(copy, cost);
            }
        }
    }

    private static double Smooth(double before, double now) => double.IsNaN(before) ? now : (3 * before + now) / 4;
}
