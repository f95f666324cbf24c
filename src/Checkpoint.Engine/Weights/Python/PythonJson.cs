using System.Text.Json.Serialization;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>The JSON of the host's protocol and of <c>host.py</c>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(PythonDescription))]
[JsonSerializable(typeof(HostOpenRequest))]
[JsonSerializable(typeof(HostOpenReply))]
[JsonSerializable(typeof(HostFailure))]
internal sealed partial class PythonJson : JsonSerializerContext;
