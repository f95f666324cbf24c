using System.Diagnostics;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>How Python is started for vLLM on these machines.</summary>
internal static class VllmEnvironment
{
    /// <summary>Python with vLLM on its path, its streams redirected.</summary>
    /// <param name="exportDir">The hook's export folder (APOLLO_EXPORT_DIR).</param>
    /// <param name="pythonPath">From <see cref="HookInstall"/>.</param>
    /// <param name="arguments">Python's arguments.</param>
    internal static ProcessStartInfo Start(string exportDir, string pythonPath, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(VllmSite.Python, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("PYTHONDONTWRITEBYTECODE");
        (string Name, string Value)[] variables =
        [
            ("PYTHONPATH", pythonPath),
            ("PYTHONUNBUFFERED", "1"),
            ("APOLLO_EXPORT_DIR", exportDir),
            // What the hook calls to bring files up to date before a load.
            ("APOLLO_CHECKPOINT", string.Join(' ', BuiltTool.Command)),
            // One process, one thread: these machines are small, and one start is what costs.
            ("VLLM_ENABLE_V1_MULTIPROCESSING", "0"),
            ("OMP_NUM_THREADS", "1"),
            // Without it the first generation compiles with g++, which need not be here.
            ("TORCHDYNAMO_DISABLE", "1"),
            ("VLLM_CPU_KVCACHE_SPACE", "1"),
            ("VLLM_LOGGING_LEVEL", "INFO"),
            ("VLLM_NO_USAGE_STATS", "1"),
            ("DO_NOT_TRACK", "1"),
            ("HF_HUB_OFFLINE", "1"),
        ];
        foreach ((string variable, string value) in variables)
        {
            start.Environment[variable] = value;
        }

        return start;
    }
}
