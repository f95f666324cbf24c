using System.Diagnostics;
using ApolloCheckpoint.TestKit;
using VerifyXunit;
using Xunit;

namespace ApolloCheckpoint.AppHost.Tests;

/// <summary>What a deployment tool is told of the pipeline.</summary>
[Trait("Ring", "aspire")]
public sealed class ManifestTests
{
    [Fact]
    public async Task Published_manifest_describes_the_pipeline_of_a_model()
    {
        using TempDirectory temp = new();
        string manifest = temp.File("manifest.json");
        ProcessStartInfo start = new(
            "dotnet",
            [
                Repository.PathOf("src", "AppHost", "bin", RunningPipeline.Configuration, "net10.0", "ApolloCheckpoint.AppHost.dll"),
                "--publisher",
                "manifest",
                "--output-path",
                manifest,
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["Parameters__model-dir"] = "/models/Qwen3.5-27B";
        start.Environment["APOLLO_STATE_DIR"] = "/var/lib/apollo-checkpoint";
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("the AppHost did not start");
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0 && File.Exists(manifest), await output + errors);
        string text = await File.ReadAllTextAsync(manifest);
        await Verifier.Verify(text.Replace(Path.GetRelativePath(temp.Path, Repository.Root), "REPOSITORY", StringComparison.Ordinal));
    }
}
