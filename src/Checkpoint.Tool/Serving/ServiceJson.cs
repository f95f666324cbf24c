using System.Text.Json.Serialization;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>How the answers of the service are written. Fields may be added, never renamed; times are UTC.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EngineRun))]
[JsonSerializable(typeof(IReadOnlyList<EngineRun>))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(RunLine))]
internal sealed partial class ServiceJson : JsonSerializerContext;
