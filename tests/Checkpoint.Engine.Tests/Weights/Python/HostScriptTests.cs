using System.Diagnostics;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Python;

/// <summary><c>host.py</c> alone, as a person debugging it would run it.</summary>
[Collection(PythonCollection.Name)]
[Trait("Ring", "python")]
public sealed class HostScriptTests(PythonSamples samples)
{
    private static readonly string Script = Repository.PathOf("src", "Checkpoint.Engine", "Weights", "Python", "host.py");

    [SkippableFact]
    public void Gpu_memory_is_opened_once_a_storage_with_torchs_own_arguments() =>
        Assert.Equal("ok", Run(Path.Combine(AppContext.BaseDirectory, "Weights", "Python", "check_cuda.py"), Script).Trim());

    [SkippableFact]
    public void It_lists_the_tensors_of_a_file() =>
        Assert.Contains("\"name\": \"nested.w\"", Run(Script, "list", samples["calls.pt"]), StringComparison.Ordinal);

    private static string Run(params string[] arguments)
    {
        ProcessStartInfo start = new(PythonForTests.Require(), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output;
    }
}
