using System.Diagnostics.Metrics;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>
/// The numbers of the engine over OTLP (docs/telemetry.md names every one). Units are UCUM: s, By, 1 for shares, {…} for things counted.
/// What a run did is recorded when it ends; the state of the model is read when somebody collects.
/// </summary>
internal sealed class EngineMetrics : IDisposable
{
    private static readonly double[] SecondsBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 600];
    private readonly Meter meter = new(EngineActivity.SourceName);
    private readonly Histogram<double> syncSeconds;
    private readonly Histogram<double> stageSeconds;
    private readonly Histogram<double> changedShare;
    private readonly Counter<long> changedBytes;
    private readonly Histogram<long> deltaBytes;
    private readonly Counter<long> writtenBytes;
    private readonly Counter<long> dirtyBlocks;

    /// <summary>Makes the instruments.</summary>
    /// <param name="status">Reads the state of the model; called when somebody collects.</param>
    /// <param name="time">The clock.</param>
    public EngineMetrics(Func<StatusAnswer> status, TimeProvider time)
    {
        InstrumentAdvice<double> seconds = new() { HistogramBucketBoundaries = SecondsBuckets };
        syncSeconds = meter.CreateHistogram("apollo.sync.duration", "s", "Wall time of a sync", advice: seconds);
        stageSeconds = meter.CreateHistogram("apollo.stage.duration", "s", "Wall time of a stage of a sync", advice: seconds);
        changedShare = meter.CreateHistogram<double>("apollo.model.changed_elements", "1", "Changed elements over compared ones, a sync");
        changedBytes = meter.CreateCounter<long>("apollo.model.changed", "By", "Bytes of changed elements");
        deltaBytes = meter.CreateHistogram<long>("apollo.delta.size", "By", "Size of a version's delta");
        writtenBytes = meter.CreateCounter<long>("apollo.disk.written", "By", "Bytes written to the model's disk: deltas and folds");
        dirtyBlocks = meter.CreateCounter<long>("apollo.blocks.dirty", "{block}", "Blocks that held a change");

        Gauge("apollo.version", "{version}", "The newest version", () => status().Version);
        Gauge(
            "apollo.files.lag",
            "{version}",
            "Versions that wait for a fold",
            () => status() is var now ? now.Version - now.FilesVersion : 0
        );
        Gauge("apollo.version.age", "s", "Age of the newest version", () => Age(status().VersionTime, time));
        Gauge("apollo.journal.size", "By", "Size of all deltas in the journal", () => status().JournalBytes);
        Gauge("apollo.offsite.lag", "{version}", "Versions that the off-site copy lacks", () => Lag(status()));
        Gauge("apollo.offsite.age", "s", "Time since something was shipped off-site", () => Age(status().Offsite?.Time, time));
        Gauge("apollo.offsite.drill.age", "s", "Time since a restore drill found all right", () => Age(status().Offsite?.DrillTime, time));
    }

    /// <summary>The instruments' meter.</summary>
    internal Meter Meter => meter;

    /// <summary>A sync that ended well.</summary>
    public void Record(SyncReport report)
    {
        syncSeconds.Record(
            report.Elapsed.TotalSeconds,
            new KeyValuePair<string, object?>("apollo.outcome", report.Changed ? "changed" : "unchanged")
        );
        foreach ((string stage, TimeSpan elapsed) in report.Stages)
        {
            stageSeconds.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>("apollo.stage", stage));
        }

        changedShare.Record(report.ComparedElements == 0 ? 0 : (double)report.ChangedElements / report.ComparedElements);
        changedBytes.Add(report.ChangedBytes);
        writtenBytes.Add(report.WrittenBytes);
        dirtyBlocks.Add(report.ChangedBlocks);
        if (report.Changed)
        {
            deltaBytes.Record(report.DeltaBytes);
        }
    }

    /// <summary>A sync that did not.</summary>
    public void Record(CheckpointException failure, TimeSpan elapsed) =>
        syncSeconds.Record(
            elapsed.TotalSeconds,
            new KeyValuePair<string, object?>("apollo.outcome", "failed"),
            new KeyValuePair<string, object?>("error.type", failure.Error.ToString())
        );

    /// <inheritdoc/>
    public void Dispose() => meter.Dispose();

    /// <summary>No value where there is nothing to measure: a gauge of zero would say "all is well".</summary>
    private void Gauge(string name, string unit, string description, Func<double?> value) =>
        meter.CreateObservableGauge(
            name,
            () => value() is { } number ? [new Measurement<double>(number)] : Array.Empty<Measurement<double>>(),
            unit,
            description
        );

    private static double? Age(DateTime? since, TimeProvider time) => (time.GetUtcNow().UtcDateTime - since)?.TotalSeconds;

    private static double? Lag(StatusAnswer status) => status.Offsite?.Version is { } there ? Math.Max(0, status.Version - there) : null;
}
