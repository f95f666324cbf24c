using System.Diagnostics;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Tool.Tests.Port;

/// <summary>Other people's programs that the tests of this folder need: a Python with torch, and the program that this one replaces.</summary>
internal static class Programs
{
    private static readonly Lazy<string?> FoundTorch = new(FindTorch);

    /// <summary>The folder that build.sh test makes for the program that this one replaces.</summary>
    public static string OldFolder { get; } = Repository.PathOf("artifacts", "old-program");

    /// <summary>A Python with torch, or the test is skipped.</summary>
    public static string RequireTorch()
    {
        Skip.If(FoundTorch.Value is null, "no python3 with torch: Debian's python3-torch will do");
        return FoundTorch.Value!;
    }

    /// <summary>The program that this one replaces, or the test is skipped.</summary>
    public static string RequireOld()
    {
        string program = Path.Combine(OldFolder, "target", "release", "apollo-checkpoint-seed");
        Skip.IfNot(File.Exists(program), "the old program is not built: APOLLO_OLD_PROGRAM=<its folder> ./build.sh test builds it");
        return program;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="start">What; the streams are redirected here.</param>
    public static ToolRun Run(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new ToolRun(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    /// <summary>Runs a program that must succeed.</summary>
    public static void MustRun(string program, params string[] arguments)
    {
        ToolRun run = Run(new ProcessStartInfo(program, arguments));
        Assert.True(run.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {run}");
    }

    private static string? FindTorch() => ((string[])["/usr/bin/python3", "python3"]).FirstOrDefault(HasTorch);

    private static bool HasTorch(string python)
    {
        try
        {
            return Run(new ProcessStartInfo(python, ["-c", "import torch, numpy"])).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no such program.
            return false;
        }
    }
}
