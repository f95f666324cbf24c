using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Verification;
using ApolloCheckpoint.Tool.Commands;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>What <c>restore</c>, <c>prune</c>, <c>adopt</c> and <c>verify</c> say to programs. Fields may be added, never renamed.</summary>
internal static class HistoryJson
{
    /// <summary>A restore.</summary>
    public static void Write(TextWriter writer, RestoreReport report) =>
        Object(
            writer,
            json =>
            {
                json.WriteNumber("restored", report.Restored);
                json.WriteNumber("version", report.Version);
                json.WriteNumber("filesVersion", report.FilesVersion);
                JsonText.Optional(json, "output", report.Output);
                json.WriteNumber("chunks", report.Chunks);
                json.WriteNumber("fromMirror", report.FromMirror);
                json.WriteNumber("deltaBytes", report.DeltaBytes);
                json.WriteNumber("writtenBytes", report.WrittenBytes);
                JsonText.Strings(json, "skipped", report.Skipped);
                JsonText.Strings(json, "recovered", report.Recovered);
                JsonText.Strings(json, "warnings", report.Warning is null ? report.Warnings : [report.Warning, .. report.Warnings]);
            }
        );

    /// <summary>A prune.</summary>
    public static void Write(TextWriter writer, PruneReport report) =>
        Object(
            writer,
            json =>
            {
                JsonText.Numbers(json, "gone", report.Gone);
                json.WriteNumber("kept", report.Kept);
                json.WriteNumber("freedBytes", report.FreedBytes);
                json.WriteNumber("oldest", report.Oldest);
            }
        );

    /// <summary>An adopt.</summary>
    public static void Write(TextWriter writer, AdoptReport report) =>
        Object(
            writer,
            json =>
            {
                json.WriteNumber("version", report.Version);
                json.WriteString("lineage", report.Lineage);
                json.WriteString("root", report.Root);
                JsonText.Optional(json, "oldJournal", report.OldJournal);
                JsonText.Numbers(json, "notFolded", report.NotFolded);
                JsonText.Optional(json, "notRecovered", report.NotRecovered);
                JsonText.Strings(json, "recovered", report.Recovered);
            }
        );

    /// <summary>A verification, and with <c>--live</c> what a sync would find.</summary>
    public static void Write(TextWriter writer, VerifyReport report, SyncReport? live) =>
        JsonText.Write(writer, json => Body(json, report, live));

    /// <summary>A verification as one object.</summary>
    public static void Body(Utf8JsonWriter json, VerifyReport report, SyncReport? live) =>
        Object(
            json,
            () =>
            {
                json.WriteNumber("filesVersion", report.FilesVersion);
                json.WriteNumber("shards", report.Shards);
                json.WriteNumber("bytes", report.Bytes);
                json.WriteNumber("deltas", report.Deltas);
                json.WriteStartArray("damage");
                foreach (VerifyDamage damage in report.Damage)
                {
                    Damage(json, damage);
                }

                json.WriteEndArray();
                JsonText.Strings(json, "recovered", report.Recovered);
                if (live is not null)
                {
                    json.WritePropertyName("live");
                    SyncReportJson.Body(json, live);
                }
            }
        );

    /// <summary>A fold as one object.</summary>
    public static void Body(Utf8JsonWriter json, FoldResult fold) =>
        Object(
            json,
            () =>
            {
                json.WriteNumber("version", fold.Newest);
                json.WriteNumber("filesVersionBefore", fold.Before);
                json.WriteNumber("filesVersion", fold.Report.FilesVersion);
                json.WriteNumber("shards", fold.Report.Shards.Count);
                json.WriteNumber("writtenBytes", fold.Report.WrittenBytes);
                JsonText.Strings(json, "recovered", fold.Recovered);
                JsonText.Strings(json, "warnings", fold.Warnings);
            }
        );

    private static void Damage(Utf8JsonWriter json, VerifyDamage damage)
    {
        json.WriteStartObject();
        json.WriteString("kind", damage.Kind);
        json.WriteString("file", damage.FileName);
        JsonText.Optional(json, "tensor", damage.Tensor);
        json.WriteNumber("fileOffset", damage.FileOffset);
        json.WriteNumber("length", damage.Length);
        json.WriteString("text", damage.Text);
        json.WriteEndObject();
    }

    private static void Object(TextWriter writer, Action<Utf8JsonWriter> fields) =>
        JsonText.Write(writer, json => Object(json, () => fields(json)));

    private static void Object(Utf8JsonWriter json, Action fields)
    {
        json.WriteStartObject();
        fields();
        json.WriteEndObject();
    }
}
