using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>The report of a sync for people: the first line is the answer, the rest supports it.</summary>
internal static class SyncReportText
{
    /// <summary>Writes the report.</summary>
    public static void Write(TextWriter writer, SyncReport report, bool colour)
    {
        Paint paint = new(colour);
        writer.WriteLine(paint.Strong(Headline(report)));
        Lines lines = new();
        foreach (string sentence in report.Recovered)
        {
            lines.Add("recovered", sentence);
        }

        if (report.Changed)
        {
            lines.Add("live", Live(report));
        }

        if (report.Changed && !report.DryRun)
        {
            AddWritten(lines, report);
        }

        AddUnfolded(lines, report);
        AddNotLive(lines, report);
        foreach (string sentence in report.Warnings)
        {
            lines.Add("warning", sentence);
        }

        lines.WriteTo(writer, paint.Faint);
    }

    /// <summary>The one-line answer; also the headline of the status page.</summary>
    public static string Headline(SyncReport report)
    {
        string elapsed = Quantity.Duration(report.Elapsed);
        if (report.ChangedElements == 0 && !report.Changed)
        {
            string compared = Quantity.Size(report.ComparedBytes);
            string state = report.FilesVersion < report.Version ? "nothing new since" : "model files are up to date";
            return report.FilesVersion < report.Version
                ? $"No changes — {state} version {report.Version} ({compared} compared, {elapsed})"
                : $"No changes — {state} (version {report.Version}, {compared} compared, {elapsed})";
        }

        string version = report.DryRun ? "dry run" : $"version {report.Version}";
        string step = report.Step is { } number ? $" · step {Quantity.Count(number)}" : "";
        string changed = Quantity.SizeOf(report.ChangedBytes, report.ModelBytes, "of");
        string elements = Quantity.Percent(report.ChangedElements, report.ComparedElements);
        string blocks = Quantity.Percent(report.ChangedBlocks, report.ComparedBlocks);
        string blockSize = report.BlockSize % 1024 == 0 ? $"{report.BlockSize / 1024} KiB" : $"{report.BlockSize} B";
        string verb = report.DryRun ? "would change" : "changed";
        return $"{version}{step} · {changed} {verb} ({elements} of elements, {blocks} of {blockSize} blocks) · {elapsed}";
    }

    private static string Live(SyncReport report)
    {
        string detail = report.SourceDetail.Length == 0 ? "" : $" ({report.SourceDetail})";
        string tensors = Quantity.Count(report.TensorsOnDisk, "tensor");
        return $"{tensors} in {Quantity.Count(report.LiveTensors, "live parameter")}, {report.Source}{detail}, {Consistency(report.Label)}";
    }

    private static string Consistency(ConsistencyLabel label) =>
        label.Kind switch
        {
            ConsistencyKind.Locked => "read while the trainer waited",
            ConsistencyKind.Step => "consistent at one step",
            ConsistencyKind.Stable => "stable over two passes",
            ConsistencyKind.Mixed => $"mixed: {Quantity.Count(label.MixedTensors?.Count ?? 0, "tensor")} moved while they were read",
            _ => "consistency not checked",
        };

    private static void AddWritten(Lines lines, SyncReport report)
    {
        string share = Quantity.Percent(report.DeltaBytes, report.ModelBytes);
        string blocks = Quantity.Size(report.ChangedBlockBytes);
        lines.Add("delta", $"{Quantity.Size(report.DeltaBytes)} journaled ({share} of the model; a copy of the changed blocks: {blocks})");
        int folded = report.Shards.Count(shard => shard.FoldedBy is not null);
        if (folded > 0)
        {
            string written = Quantity.Size(report.WrittenBytes);
            lines.Add("files", $"{Quantity.Count(folded, "shard")} brought up to date, {written} written{Ways(report)}{OtherMode(report)}");
        }
    }

    /// <summary>What folding once an hour (six syncs of ten minutes) would have written instead, where it is much less.</summary>
    private static string OtherMode(SyncReport report)
    {
        const int Syncs = 6;
        long other = report.DeltaBytes + (report.WrittenBytes - report.DeltaBytes) / Syncs;
        bool worthSaying = report.WrittenBytes > 1_000_000_000 && other < report.WrittenBytes / 2;
        return worthSaying ? $"   --fold {Syncs} would have written {Quantity.Size(other)}" : "";
    }

    private static string Ways(SyncReport report)
    {
        int patched = report.Shards.Count(shard => shard.FoldedBy == FoldWay.Patch);
        int replaced = report.Shards.Count(shard => shard.FoldedBy == FoldWay.Replace);
        return (patched, replaced) switch
        {
            (> 0, > 0) => $" ({patched} in place, {replaced} replaced)",
            (> 0, 0) => " (in place)",
            _ => " (replaced)",
        };
    }

    private static void AddNotLive(Lines lines, SyncReport report)
    {
        if (report.TensorsNotLive > 0)
        {
            string reasons = string.Join(", ", report.NotLiveReasons.Select(reason => reason.Reason));
            string why = reasons.Length == 0 ? "" : $" ({reasons})";
            lines.Add("not live", $"{Quantity.Count(report.TensorsNotLive, "tensor")}{why} left as they are");
        }
    }

    private static void AddUnfolded(Lines lines, SyncReport report)
    {
        if (report.FilesVersion < report.Version)
        {
            lines.Add("files", $"still at version {report.FilesVersion}; to bring them up to date: apollo-checkpoint fold");
        }
    }
}
