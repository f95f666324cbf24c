using System.Text.Json;
using System.Text.Json.Serialization;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>One run of the service, as <c>GET /runs/{id}</c> answers it and the history keeps it. Times are UTC.</summary>
internal sealed record EngineRun
{
    /// <summary>Its number; goes on after a restart.</summary>
    public required int Id { get; init; }

    /// <summary>What it does.</summary>
    public required RunKind Kind { get; init; }

    /// <summary>How far it is.</summary>
    public required RunState State { get; init; }

    /// <summary>Who asked: "trigger", "page", "dashboard", "program".</summary>
    public required string By { get; init; }

    /// <summary>When it began.</summary>
    public required DateTime Started { get; init; }

    /// <summary>When it ended, or null.</summary>
    public DateTime? Ended { get; init; }

    /// <summary>When whoever asked will ask again, or null.</summary>
    public DateTime? Next { get; init; }

    /// <summary>Id of its trace, 32 hex digits, or null when nobody listens.</summary>
    public string? Trace { get; init; }

    /// <summary>What happened, in one sentence.</summary>
    public string Sentence { get; init; } = "";

    /// <summary>Where it is, while it runs.</summary>
    public RunStage? Progress { get; init; }

    /// <summary>The report of the verb, as its <c>--json</c> writes it; null while it runs and when it failed.</summary>
    public JsonElement? Report { get; init; }

    /// <summary>Why it failed, or null.</summary>
    public RunError? Error { get; init; }

    /// <summary>Wall time so far, or null while it runs.</summary>
    [JsonIgnore]
    public TimeSpan? Elapsed => Ended - Started;

    /// <summary>A number of the report, or null.</summary>
    public long? Figure(string name) =>
        Report is { ValueKind: JsonValueKind.Object } report
        && report.TryGetProperty(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.Number
            ? value.GetInt64()
            : null;
}
