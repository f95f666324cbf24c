using System.Globalization;
using System.Text.Json;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>The versions of a model for programs. Fields may be added, never renamed. Times are UTC.</summary>
internal static class LogJson
{
    /// <summary>Writes an object with the list of versions, newest first.</summary>
    public static void Write(TextWriter writer, IReadOnlyList<VersionRow> rows, int older) =>
        JsonText.Write(
            writer,
            json =>
            {
                json.WriteStartObject();
                json.WriteStartArray("versions");
                foreach (VersionRow row in rows)
                {
                    Row(json, row);
                }

                json.WriteEndArray();
                json.WriteNumber("olderVersions", older);
                json.WriteEndObject();
            }
        );

    private static void Row(Utf8JsonWriter json, VersionRow row)
    {
        json.WriteStartObject();
        json.WriteNumber("version", row.Version);
        json.WriteString("time", row.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        JsonText.Optional(json, "step", row.Step);
        json.WriteString("label", SyncReportJson.Label(row.Label));
        JsonText.Strings(json, "mixedTensors", row.Label.MixedTensors ?? []);
        json.WriteNumber("changedElements", row.ChangedUnits);
        json.WriteNumber("comparedElements", row.ComparedUnits);
        JsonText.Optional(json, "deltaBytes", row.DeltaBytes);
        json.WriteBoolean("inFiles", row.IsInFiles);
        json.WriteEndObject();
    }
}
