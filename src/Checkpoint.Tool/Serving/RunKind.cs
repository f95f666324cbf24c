using System.Text.Json.Serialization;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>What a run does.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RunKind>))]
internal enum RunKind
{
    /// <summary>Live weights into the files.</summary>
    [JsonStringEnumMemberName("sync")]
    Sync,

    /// <summary>Files up to the newest version.</summary>
    [JsonStringEnumMemberName("fold")]
    Fold,

    /// <summary>Files and journal against their digests.</summary>
    [JsonStringEnumMemberName("verify")]
    Verify,
}
