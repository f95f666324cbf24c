using System.Globalization;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>The versions of a model, newest first.</summary>
internal static class LogText
{
    /// <summary>Writes the table.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="rows">The versions to show, newest first.</param>
    /// <param name="older">Number of versions that are older and not shown.</param>
    /// <param name="now">For "today" and "yesterday".</param>
    /// <param name="zone">Times are shown in this zone.</param>
    /// <param name="colour">Whether to colour.</param>
    public static void Write(
        TextWriter writer,
        IReadOnlyList<VersionRow> rows,
        int older,
        DateTimeOffset now,
        TimeZoneInfo zone,
        bool colour
    )
    {
        if (rows.Count == 0)
        {
            writer.WriteLine("No versions yet: the first sync that finds a change makes one");
            return;
        }

        Table table = new(0, 2, 4, 5);
        table.Add("version", "when", "step", "label", "changed", "delta", "files");
        foreach (VersionRow row in rows)
        {
            table.Add(
                row.Version.ToString(CultureInfo.InvariantCulture),
                When(TimeZoneInfo.ConvertTime(row.Time, zone), TimeZoneInfo.ConvertTime(now, zone)),
                row.Step is { } step ? Quantity.Count(step) : "",
                Label(row.Label),
                Quantity.Percent(row.ChangedUnits, row.ComparedUnits),
                row.DeltaBytes is { } bytes ? Quantity.Size(bytes) : "?",
                Remark(row)
            );
        }

        table.WriteTo(writer, new Paint(colour));
        if (older > 0)
        {
            writer.WriteLine($" … {Quantity.Count(older, "older version")}: --last {rows.Count + older}");
        }
    }

    /// <summary>A local time that is short when it is near: "today 14:20", "yesterday 09:05", "2026-11-03 14:20 +01:00".</summary>
    internal static string When(DateTimeOffset time, DateTimeOffset now) =>
        (now.Date - time.Date).Days switch
        {
            0 => time.ToString("'today' HH:mm", CultureInfo.InvariantCulture),
            1 => time.ToString("'yesterday' HH:mm", CultureInfo.InvariantCulture),
            _ => time.ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture),
        };

    private static string Label(ConsistencyLabel label) =>
        label.Kind == ConsistencyKind.Mixed ? $"mixed {Quantity.Count(label.MixedTensors?.Count ?? 0)}" : SyncReportJson.Label(label);

    private static string Remark(VersionRow row)
    {
        string current = row.IsInFiles ? "current" : "";
        string mixed =
            row.Label.Kind == ConsistencyKind.Mixed
                ? $"{Quantity.Count(row.Label.MixedTensors?.Count ?? 0, "tensor")} moved while they were read"
                : "";
        return current.Length > 0 && mixed.Length > 0 ? $"{current}, {mixed}" : current + mixed;
    }
}
