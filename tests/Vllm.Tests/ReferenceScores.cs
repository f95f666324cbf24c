using System.Globalization;
using System.Text.Json;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>What transformers thinks of a server's answers, token by token.</summary>
/// <param name="Logprobs">The log-probability of each answered token, of all answers one after another.</param>
/// <param name="Best">That of the likeliest token in its place.</param>
internal sealed record ReferenceScores(double[] Logprobs, double[] Best)
{
    /// <summary>bfloat16 with other kernels: sums in another order. Training moves these by ten times as much.</summary>
    private const double Tolerance = 0.1;

    internal static ReferenceScores Read(JsonElement answer) => new(Flat(answer, "logprobs"), Flat(answer, "best"));

    /// <summary>The server's tokens are those that transformers would choose, and as likely there.</summary>
    internal void AssertAgree(IReadOnlyList<Completion> answers)
    {
        double[] served = [.. answers.SelectMany(answer => JsonSerializer.Deserialize<double[]>(answer.Logprobs)!)];
        double apart = served.Zip(Logprobs, (a, b) => Math.Abs(a - b)).Max();
        double behind = Best.Zip(Logprobs, (best, chosen) => best - chosen).Max();
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"log-probabilities differ by {apart}, the best token is ahead by {behind}"
        );
        Assert.True(apart < Tolerance && behind < Tolerance, text);
    }

    /// <summary>These are other weights.</summary>
    internal void AssertDiffer(IReadOnlyList<Completion> answers)
    {
        double[] served = [.. answers.SelectMany(answer => JsonSerializer.Deserialize<double[]>(answer.Logprobs)!)];
        double apart = served.Zip(Logprobs, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(
            apart > 2 * Tolerance,
            string.Create(CultureInfo.InvariantCulture, $"training moved log-probabilities by {apart} only")
        );
    }

    private static double[] Flat(JsonElement answer, string name) =>
        [.. answer.GetProperty(name).EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(value => value.GetDouble())];
}
