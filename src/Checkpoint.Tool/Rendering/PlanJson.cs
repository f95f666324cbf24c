using System.Text.Json;
using ApolloCheckpoint.Engine.Planning;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>A plan for programs. Fields may be added, never renamed.</summary>
internal static class PlanJson
{
    /// <summary>Writes the plan, or only its numbers and what does not fit.</summary>
    public static void Write(TextWriter writer, PlanDescription plan, bool mismatchesOnly) =>
        JsonText.Write(writer, json => Body(json, plan, mismatchesOnly));

    private static void Body(Utf8JsonWriter json, PlanDescription plan, bool mismatchesOnly)
    {
        json.WriteStartObject();
        json.WriteString("rules", plan.Family);
        json.WriteNumber("mappedTensors", plan.MappedTensors);
        json.WriteNumber("totalTensors", plan.TotalTensors);
        json.WriteNumber("liveTensors", plan.LiveTensors);
        json.WriteNumber("mappedBytes", plan.MappedBytes);
        json.WriteNumber("totalBytes", plan.TotalBytes);
        if (!mismatchesOnly)
        {
            Rows(json, plan);
        }

        json.WriteStartArray("mismatches");
        foreach (PlanMismatch mismatch in plan.Mismatches)
        {
            json.WriteStartObject();
            json.WriteString("kind", mismatch.Kind);
            json.WriteString("tensor", mismatch.Tensor);
            json.WriteString("text", mismatch.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Rows(Utf8JsonWriter json, PlanDescription plan)
    {
        json.WriteStartArray("regions");
        foreach (PlanRow row in plan.Rows)
        {
            json.WriteStartObject();
            json.WriteString("live", row.Live);
            json.WriteNumber("rank", row.Rank);
            json.WriteString("disk", row.Disk);
            json.WriteString("shard", row.Shard);
            json.WriteString("rule", row.Rule);
            json.WriteString("rows", row.Rows);
            json.WriteString("fileRows", row.FileRows);
            json.WriteString("liveType", row.LiveType);
            json.WriteString("diskType", row.DiskType);
            json.WriteNumber("bytes", row.Bytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("notLive");
        foreach (PlanNotLiveRow row in plan.NotLive)
        {
            json.WriteStartObject();
            json.WriteString("disk", row.Disk);
            json.WriteString("shard", row.Shard);
            json.WriteString("reason", row.Reason);
            json.WriteNumber("bytes", row.Bytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
