using System.Text.Json.Serialization;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>How far a run is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RunState>))]
internal enum RunState
{
    /// <summary>It is under way.</summary>
    [JsonStringEnumMemberName("running")]
    Running,

    /// <summary>It ended well.</summary>
    [JsonStringEnumMemberName("done")]
    Done,

    /// <summary>It ended with an error.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>The service ended before it did: stopped, or killed. The next run recovers.</summary>
    [JsonStringEnumMemberName("interrupted")]
    Interrupted,
}
