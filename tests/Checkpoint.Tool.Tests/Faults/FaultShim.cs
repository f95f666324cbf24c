using System.Diagnostics;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Tool.Tests.Faults;

/// <summary>The C programs of tests/FaultShim, compiled once a test run with the machine's C compiler.</summary>
internal static class FaultShim
{
    private static readonly Lazy<string?> Shim = new(() => Build("faultshim.c", "libfaultshim.so", "-shared", "-fPIC"));
    private static readonly Lazy<string?> Writer = new(() => Build("hogwild.c", "hogwild"));

    /// <summary>The shared library to preload, or null where there is no C compiler.</summary>
    public static string? Library => Shim.Value;

    /// <summary>The trainer that never holds still, or null where there is no C compiler.</summary>
    public static string? Hogwild => Writer.Value;

    private static string? Build(string source, string target, params string[] options)
    {
        string path = Path.Combine(AppContext.BaseDirectory, target);
        string[] arguments = ["-O2", .. options, "-o", path, Repository.PathOf("tests", "FaultShim", source), "-ldl"];
        try
        {
            using Process compiler = Process.Start(new ProcessStartInfo("cc", arguments) { RedirectStandardError = true })!;
            string errors = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? path : throw new InvalidOperationException($"{source} does not compile:\n{errors}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
