using System.Text.Json;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>What a run that ended well hands back.</summary>
/// <param name="Sentence">The answer, one line.</param>
/// <param name="Report">The report as the verb's <c>--json</c> writes it.</param>
internal sealed record RunResult(string Sentence, JsonElement Report);
