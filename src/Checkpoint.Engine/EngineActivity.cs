using System.Diagnostics;

namespace ApolloCheckpoint.Engine;

/// <summary>The source of the engine's spans: one a sync, one a stage. Costs nothing while nobody listens.</summary>
public static class EngineActivity
{
    /// <summary>Name of the source and of the meter.</summary>
    public const string SourceName = "ApolloCheckpoint.Engine";

    /// <summary>The source.</summary>
    public static ActivitySource Source { get; } = new(SourceName);

    /// <summary>What a sync did, on its span (docs/telemetry.md).</summary>
    internal static void Describe(Activity? span, SyncReport report)
    {
        if (span is null)
        {
            return;
        }

        span.SetTag("apollo.version", report.Version);
        span.SetTag("apollo.files.version", report.FilesVersion);
        span.SetTag("apollo.outcome", report.Changed ? "changed" : "unchanged");
        span.SetTag("apollo.consistency", report.Label.ToString());
        span.SetTag("apollo.source", report.Source);
        span.SetTag("apollo.compared", report.ComparedBytes);
        span.SetTag("apollo.changed", report.ChangedBytes);
        span.SetTag("apollo.changed_elements", report.ChangedElements);
        span.SetTag("apollo.delta.size", report.DeltaBytes);
        span.SetTag("apollo.disk.written", report.WrittenBytes);
    }

    /// <summary>Why a run failed, on its span: the name of the error is <c>error.type</c>.</summary>
    public static void Describe(Activity? span, CheckpointException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        span?.SetTag("error.type", failure.Error.ToString());
        span?.SetTag("apollo.exit_code", failure.ExitCode);
        span?.SetStatus(ActivityStatusCode.Error, failure.Message);
    }
}
