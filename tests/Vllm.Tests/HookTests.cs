using System.Diagnostics;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>The Python tests of python/apollo-vllm. With vLLM's torch at hand all of them; without, those that need no torch.</summary>
[Trait("Ring", "vllm")]
public sealed class HookTests
{
    [SkippableFact]
    public void The_hook_passes_its_own_tests()
    {
        Skip.IfNot(File.Exists(VllmSite.Python), $"{VllmSite.Python} is missing");
        ProcessStartInfo start = new(VllmSite.Python, ["-s", "-m", "unittest", "discover", "-s", "tests"])
        {
            WorkingDirectory = Repository.PathOf("python", "apollo-vllm"),
            RedirectStandardError = true,
        };
        start.Environment["PYTHONPATH"] = VllmSite.Path ?? "";
        start.Environment["OMP_NUM_THREADS"] = "1";
        using Process python = Process.Start(start)!;
        string output = python.StandardError.ReadToEnd();
        python.WaitForExit();

        Assert.True(python.ExitCode == 0, output);
        Assert.Matches("Ran [1-9][0-9]* tests", output);
    }
}
