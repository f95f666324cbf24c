using System.Diagnostics;
using System.IO.Compression;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>The hook as users get it: its wheel, built from the sources and unpacked beside vLLM.</summary>
internal static class HookInstall
{
    /// <summary>Installs the hook into a folder and gives the PYTHONPATH of vLLM with it, and with the scripts of the tests.</summary>
    internal static string PythonPath(string folder)
    {
        string[] arguments = [Repository.PathOf("eng", "build_wheel.py"), Repository.PathOf("python", "apollo-vllm"), folder];
        using Process build = Process.Start(new ProcessStartInfo(VllmSite.Python, arguments) { RedirectStandardOutput = true })!;
        build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        Assert.Equal(0, build.ExitCode);
        ZipFile.ExtractToDirectory(Directory.GetFiles(folder, "apollo_vllm-*.whl").Single(), folder);
        return string.Join(':', VllmSite.Path, folder, Repository.PathOf("tests", "Vllm.Tests", "scripts"));
    }
}
