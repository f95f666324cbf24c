using System.Globalization;

namespace ApolloCheckpoint.Rsync;

/// <summary>What people read of an off-site run: the answer first, then what else was done.</summary>
public static class OffsiteText
{
    /// <summary>Of a whole copy.</summary>
    public static string Of(OffsiteReport report)
    {
        string version = report.Version is { } number ? $"version {number} " : "";
        string files = report.Version > report.FilesVersion ? $" (files at {report.FilesVersion}, the rest as deltas)" : "";
        string verified = report.Files > 0 ? $" · {report.Files} files verified there" : " · not verified";
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"{version}shipped to {report.Target}, snapshot {report.Snapshot}{files} · {Size(report.SentBytes)} sent of {Size(report.ModelBytes)}{verified} · {report.Elapsed.TotalSeconds:0.0} s"
        );
        return string.Join('\n', [head, .. report.Did.Select(sentence => "  did      " + sentence)]);
    }

    /// <summary>Of deltas.</summary>
    public static string Of(DeltaReport report) =>
        report.Deltas == 0
            ? $"{report.Target} has version {report.Version} already; nothing to ship"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"version {report.Version} shipped to {report.Target}: {report.Deltas} {(report.Deltas == 1 ? "delta" : "deltas")} into snapshot {report.Snapshot} · {Size(report.SentBytes)} sent · {report.Elapsed.TotalSeconds:0.0} s"
            );

    /// <summary>Of a restore drill.</summary>
    public static string Of(DrillReport report)
    {
        string delta = report.Delta is { } version ? $" and delta {version}" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Chunks} of {report.OfChunks} chunks{delta} fetched from {report.Target}, snapshot {report.Snapshot}: all as recorded for version {report.Version} · {Size(report.Bytes)} · {report.Elapsed.TotalSeconds:0.0} s"
        );
    }

    private static string Size(long bytes) =>
        bytes switch
        {
            >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
            >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        };
}
