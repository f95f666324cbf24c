using System.Text.Json;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>What a server answered to one prompt: tokens, and the log-probability of each.</summary>
internal sealed record Completion(string Tokens, string Logprobs)
{
    /// <summary>All answers of a server; numbers as they were printed, so that equal means equal to the last bit.</summary>
    internal static IReadOnlyList<Completion> ReadAll(JsonElement answer) =>
        [
            .. answer
                .GetProperty("completions")
                .EnumerateArray()
                .Select(row => new Completion(row.GetProperty("tokens").GetRawText(), row.GetProperty("logprobs").GetRawText())),
        ];
}
