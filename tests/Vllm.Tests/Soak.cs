namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>What <c>build.sh soak</c> asks for by APOLLO_SOAK: hours instead of minutes.</summary>
internal static class Soak
{
    /// <summary>Whether this is a soak.</summary>
    internal static bool IsOn { get; } = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("APOLLO_SOAK"));
}
