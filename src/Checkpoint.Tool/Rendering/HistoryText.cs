using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Verification;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>What <c>restore</c>, <c>prune</c>, <c>adopt</c> and <c>verify</c> say: the answer first.</summary>
internal static class HistoryText
{
    /// <summary>A restore.</summary>
    public static void Write(TextWriter writer, RestoreReport report, bool colour)
    {
        Paint paint = new(colour);
        writer.WriteLine(paint.Strong(Headline(report)));
        Lines lines = new();
        Sentences(lines, "recovered", report.Recovered);
        if (report.FromMirror > 0)
        {
            lines.Add("mirror", $"{Quantity.Count(report.FromMirror, "chunk")} taken from the mirror");
        }

        if (report.Output is null && report.DeltaBytes > 0)
        {
            string written = Quantity.Size(report.WrittenBytes);
            lines.Add(
                "delta",
                $"{Quantity.Size(report.DeltaBytes)} journaled, {written} written; the versions between stay in the history"
            );
            lines.Add("next", "restart the producer from the restored files; a producer of before is refused");
        }

        Sentences(lines, "skipped", report.Skipped);
        Sentences(lines, "warning", report.Warning is null ? report.Warnings : [report.Warning, .. report.Warnings]);
        lines.WriteTo(writer, paint.Faint);
    }

    /// <summary>A prune.</summary>
    public static void Write(TextWriter writer, PruneReport report) =>
        writer.WriteLine(
            report.Gone.Count == 0
                ? $"Nothing to take away: {Quantity.Count(report.Kept, "version")} kept, the oldest that can be restored is {report.Oldest}"
                : $"{Quantity.Count(report.Gone.Count, "version")} taken away ({report.Gone[0]} to {report.Gone[^1]}), {Quantity.Size(report.FreedBytes)} freed; "
                    + $"{Quantity.Count(report.Kept, "version")} kept, the oldest that can be restored is {report.Oldest}"
        );

    /// <summary>An adopt.</summary>
    public static void Write(TextWriter writer, AdoptReport report, bool colour)
    {
        Paint paint = new(colour);
        writer.WriteLine(paint.Strong($"The files as they are were taken for version {report.Version}, the first of a new history"));
        Lines lines = new();
        Sentences(lines, "recovered", report.Recovered);
        if (report.OldJournal is not null)
        {
            lines.Add("old", $"the journal of before is in {report.OldJournal}");
        }

        if (report.NotFolded.Count > 0)
        {
            lines.Add("warning", $"the files never held versions {string.Join(", ", report.NotFolded)}; they are in the old journal only");
        }

        Sentences(lines, "warning", report.NotRecovered is null ? [] : [report.NotRecovered]);
        lines.WriteTo(writer, paint.Faint);
    }

    /// <summary>A verification; what is damaged is told by the error that follows it.</summary>
    public static void Write(TextWriter writer, VerifyReport report, SyncReport? live, bool colour)
    {
        Paint paint = new(colour);
        string what =
            $"{Quantity.Count(report.Shards, "shard")} ({Quantity.Size(report.Bytes)}) and {Quantity.Count(report.Deltas, "delta")}";
        string found = report.Damage.Count == 0 ? "as recorded" : $"{Quantity.Count(report.Damage.Count, "damaged place")}";
        string files = $"{what} read: {found}; the files hold version {report.FilesVersion}";
        Lines lines = new();
        if (live is { ChangedElements: > 0 })
        {
            string changed = Quantity.Percent(live.ChangedElements, live.ComparedElements);
            writer.WriteLine(
                paint.Strong($"The producer is ahead of version {live.Version}: {changed} of elements differ, as a sync would find")
            );
            lines.Add("files", files);
        }
        else
        {
            writer.WriteLine(paint.Strong(files));
            Sentences(lines, "live", live is null ? [] : [$"the producer holds exactly version {live.Version}"]);
        }

        Sentences(lines, "recovered", report.Recovered);
        lines.WriteTo(writer, paint.Faint);
    }

    private static string Headline(RestoreReport report) =>
        report.Output is not null ? $"Version {report.Restored} restored to {report.Output}, {Quantity.Size(report.WrittenBytes)} written"
        : report.FromMirror > 0 && report.DeltaBytes == 0
            ? $"Damaged bytes were taken from the mirror; the model is at version {report.Version}"
        : report.Version == report.Restored ? $"The model is at version {report.Version}; nothing to restore"
        : $"Version {report.Version} has the bytes of version {report.Restored}; the files hold version {report.FilesVersion}";

    private static void Sentences(Lines lines, string label, IEnumerable<string> sentences)
    {
        foreach (string sentence in sentences)
        {
            lines.Add(label, sentence);
        }
    }
}
