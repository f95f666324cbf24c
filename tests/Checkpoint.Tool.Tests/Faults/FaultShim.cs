using System.Diagnostics;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Tool.Tests.Faults;

/// <summary>tests/FaultShim, compiled once a test run with the machine's C compiler.</summary>
internal static class FaultShim
{
    private static readonly Lazy<string?> Built = new(Build);

    /// <summary>The shared library, or null where there is no C compiler.</summary>
    public static string? Library => Built.Value;

    private static string? Build()
    {
        string library = Path.Combine(AppContext.BaseDirectory, "libfaultshim.so");
        try
        {
            using Process compiler = Process.Start(
                new ProcessStartInfo(
                    "cc",
                    ["-O2", "-shared", "-fPIC", "-o", library, Repository.PathOf("tests", "FaultShim", "faultshim.c"), "-ldl"]
                )
                {
                    RedirectStandardError = true,
                }
            )!;
            string errors = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? library : throw new InvalidOperationException($"the fault shim does not compile:\n{errors}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
