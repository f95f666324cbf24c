using System.Globalization;
using System.IO.Hashing;
using System.Text.Json;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>
/// The text of <c>state.json</c>. By hand, not by a serializer: its converters and their metadata cost more of a small sync's time than
/// everything else in it. Its last field, <c>check</c>, is the xxh3-64 of all bytes before the comma that leads to it: a flipped digit
/// of <c>oldest</c> would have the next recovery delete deltas. A state without a check, as earlier tools wrote it, is believed.
/// </summary>
internal static class ModelStateJson
{
    /// <summary>The file's bytes.</summary>
    internal static byte[] Write(ModelState state)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("format", state.Format);
            json.WriteString("lineage", state.Lineage);
            json.WriteNumber("newest", state.Newest);
            json.WriteNumber("oldest", state.Oldest);
            json.WriteNumber("filesVersion", state.FilesVersion);
            json.WriteString("root", state.Root);
            Write(json, "step", state.Step);
            json.WriteString("label", state.Label);
            json.WriteNumber("timeNs", state.TimeNs);
            Write(json, state.Producer);
            json.WriteBoolean("restored", state.Restored);
            json.Flush();
            json.WriteString("check", Check(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>What the bytes say, or null: a hint that cannot be read is no hint.</summary>
    internal static ModelState? TryParse(byte[] bytes)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            string? check = Text(document.RootElement, "check");
            return check is null || check == Check(bytes.AsSpan(0, Math.Max(0, bytes.AsSpan().LastIndexOf((byte)','))))
                ? Parse(document.RootElement)
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static string Check(ReadOnlySpan<byte> bytes) => XxHash3.HashToUInt64(bytes).ToString("x16", CultureInfo.InvariantCulture);

    private static ModelState Parse(JsonElement root) =>
        new()
        {
            Format = Find(root, "format") is { } format ? format.GetInt32() : 1,
            Lineage = Text(root, "lineage") ?? throw new FormatException("no lineage"),
            Newest = root.GetProperty("newest").GetInt64(),
            Oldest = Find(root, "oldest") is { } oldest ? oldest.GetInt64() : 1,
            FilesVersion = root.GetProperty("filesVersion").GetInt64(),
            Root = Text(root, "root") ?? throw new FormatException("no root"),
            Step = Find(root, "step")?.GetInt64(),
            Label = Text(root, "label") ?? "",
            TimeNs = Find(root, "timeNs") is { } time ? time.GetInt64() : 0,
            Producer = Find(root, "producer") is { } producer ? ParseProducer(producer) : null,
            Restored = Find(root, "restored") is { } restored && restored.GetBoolean(),
        };

    private static ProducerRecord ParseProducer(JsonElement producer) =>
        new(
            Text(producer, "kind") ?? "unknown",
            Find(producer, "pid")?.GetInt32(),
            Find(producer, "startTicks")?.GetInt64(),
            Text(producer, "bootId"),
            Text(producer, "loadedRoot")
        )
        {
            PageSequence = Find(producer, "pageSequence")?.GetUInt64(),
        };

    private static void Write(Utf8JsonWriter json, ProducerRecord? producer)
    {
        if (producer is null)
        {
            json.WriteNull("producer");
            return;
        }

        json.WriteStartObject("producer");
        json.WriteString("kind", producer.Kind);
        Write(json, "pid", producer.Pid);
        Write(json, "startTicks", producer.StartTicks);
        json.WriteString("bootId", producer.BootId);
        json.WriteString("loadedRoot", producer.LoadedRoot);
        if (producer.PageSequence is { } sequence)
        {
            json.WriteNumber("pageSequence", sequence);
        }
        else
        {
            json.WriteNull("pageSequence");
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    /// <summary>A field that is there and is not null.</summary>
    private static JsonElement? Find(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement parent, string name) => Find(parent, name)?.GetString();
}
