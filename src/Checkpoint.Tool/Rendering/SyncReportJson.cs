using System.Text.Json;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>
/// The report of a sync for programs. Fields may be added, never renamed or given another meaning. Sizes in bytes, durations in
/// seconds. Written with the plain writer: a serializer's reflection would cost more than a sync of a small model.
/// </summary>
internal static class SyncReportJson
{
    /// <summary>Writes the report as one JSON object and a newline.</summary>
    public static void Write(TextWriter writer, SyncReport report, bool indented = true) =>
        JsonText.Write(writer, json => Body(json, report), indented);

    /// <summary>Writes the object into an open document.</summary>
    public static void Body(Utf8JsonWriter json, SyncReport report)
    {
        json.WriteStartObject();
        json.WriteNumber("version", report.Version);
        json.WriteNumber("filesVersion", report.FilesVersion);
        json.WriteBoolean("changed", report.Changed);
        json.WriteBoolean("dryRun", report.DryRun);
        JsonText.Optional(json, "step", report.Step);
        json.WriteString("label", Label(report.Label));
        JsonText.Strings(json, "mixedTensors", report.Label.MixedTensors ?? []);
        json.WriteString("source", report.Source);
        json.WriteString("sourceDetail", report.SourceDetail);
        Counts(json, report);
        Shards(json, report);
        json.WriteStartObject("stages");
        foreach ((string stage, TimeSpan elapsed) in report.Stages)
        {
            json.WriteNumber(stage, Math.Round(elapsed.TotalSeconds, 6));
        }

        json.WriteEndObject();
        json.WriteNumber("elapsed", Math.Round(report.Elapsed.TotalSeconds, 6));
        JsonText.Strings(json, "warnings", report.Warnings);
        JsonText.Strings(json, "recovered", report.Recovered);
        json.WriteEndObject();
    }

    /// <summary>The label as one word; the numbers stand in fields of their own.</summary>
    internal static string Label(ConsistencyLabel label) =>
        label.Kind switch
        {
            ConsistencyKind.Locked => "locked",
            ConsistencyKind.Step => "step",
            ConsistencyKind.Stable => "stable",
            ConsistencyKind.Mixed => "mixed",
            ConsistencyKind.Restored => "restored",
            _ => "unverified",
        };

    private static void Counts(Utf8JsonWriter json, SyncReport report)
    {
        json.WriteNumber("tensorsOnDisk", report.TensorsOnDisk);
        json.WriteNumber("liveTensors", report.LiveTensors);
        json.WriteNumber("tensorsNotLive", report.TensorsNotLive);
        json.WriteStartArray("notLive");
        foreach ((string reason, int count) in report.NotLiveReasons)
        {
            json.WriteStartObject();
            json.WriteString("reason", reason);
            json.WriteNumber("count", count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("modelBytes", report.ModelBytes);
        json.WriteNumber("comparedBytes", report.ComparedBytes);
        json.WriteNumber("comparedElements", report.ComparedElements);
        json.WriteNumber("changedElements", report.ChangedElements);
        json.WriteNumber("changedBytes", report.ChangedBytes);
        json.WriteNumber("blockSize", report.BlockSize);
        json.WriteNumber("comparedBlocks", report.ComparedBlocks);
        json.WriteNumber("changedBlocks", report.ChangedBlocks);
        json.WriteNumber("changedBlockBytes", report.ChangedBlockBytes);
        json.WriteNumber("deltaBytes", report.DeltaBytes);
        json.WriteNumber("writtenBytes", report.WrittenBytes);
    }

    private static void Shards(Utf8JsonWriter json, SyncReport report)
    {
        json.WriteStartArray("shards");
        foreach (ShardReport shard in report.Shards)
        {
            json.WriteStartObject();
            json.WriteString("file", shard.FileName);
            json.WriteNumber("comparedBytes", shard.ComparedBytes);
            json.WriteNumber("changedElements", shard.ChangedElements);
            json.WriteNumber("changedBlockBytes", shard.ChangedBlockBytes);
            JsonText.Optional(
                json,
                "foldedBy",
                shard.FoldedBy switch
                {
                    FoldWay.Patch => "patch",
                    FoldWay.Replace => "replace",
                    _ => null,
                }
            );
            json.WriteNumber("writtenBytes", shard.WrittenBytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
