using System.Text.Json;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>What the off-site job last said of its copy, from <c>.apollo/offsite.json</c> (docs/offsite.md).</summary>
internal sealed record OffsiteView
{
    private const long MaxBytes = 1 << 20;

    /// <summary>Where the copies go.</summary>
    public string Target { get; init; } = "";

    /// <summary>The newest version there, or null.</summary>
    public long? Version { get; init; }

    /// <summary>When it was shipped, UTC, or null.</summary>
    public DateTime? Time { get; init; }

    /// <summary>When a drill last fetched a part back and found it right, UTC, or null.</summary>
    public DateTime? DrillTime { get; init; }

    /// <summary>When the next copy is due, UTC, or null.</summary>
    public DateTime? Next { get; init; }

    /// <summary>Why the newest run failed, or null.</summary>
    public string? Failure { get; init; }

    /// <summary>What to do about it, or null.</summary>
    public string? FailureNext { get; init; }

    /// <summary>Reads it; null when there is none or it cannot be understood.</summary>
    internal static OffsiteView? TryRead(string modelDirectory)
    {
        string path = Path.Combine(new StatePaths(modelDirectory).Folder, "offsite.json");
        try
        {
            return AtomicFile.TryRead(Disk.Instance, path, MaxBytes) is { } bytes ? Parse(bytes) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static OffsiteView Parse(byte[] bytes)
    {
        using JsonDocument document = JsonDocument.Parse(bytes);
        JsonElement root = document.RootElement;
        JsonElement copy = Part(root, "copy");
        JsonElement deltas = Part(root, "deltas");
        // Deltas that were added to a copy before the newest one say nothing of the newest.
        bool isCurrent = Text(deltas, "snapshot") is { } snapshot && snapshot == Text(copy, "snapshot");
        bool isAhead = isCurrent && (Number(deltas, "version") ?? 0) >= (Number(copy, "version") ?? 0);
        JsonElement newest = isAhead ? deltas : copy;
        JsonElement failure = Part(root, "failure");
        return new OffsiteView
        {
            Target = Text(root, "target") ?? "",
            Version = Number(newest, "version"),
            Time = When(newest, "time"),
            DrillTime = When(Part(root, "drill"), "time"),
            Next = When(root, "next"),
            Failure = Text(failure, "message"),
            FailureNext = Text(failure, "next"),
        };
    }

    private static JsonElement Part(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out JsonElement part) ? part : default;

    private static string? Text(JsonElement from, string name) =>
        Part(from, name) is { ValueKind: JsonValueKind.String } part ? part.GetString() : null;

    private static long? Number(JsonElement from, string name) =>
        Part(from, name) is { ValueKind: JsonValueKind.Number } part ? part.GetInt64() : null;

    private static DateTime? When(JsonElement from, string name) =>
        Part(from, name) is { ValueKind: JsonValueKind.String } part ? part.GetDateTimeOffset().UtcDateTime : null;
}
