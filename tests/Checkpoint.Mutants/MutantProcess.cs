using System.Diagnostics;
using System.Globalization;

namespace ApolloCheckpoint.Mutants;

/// <summary>A <see cref="MutantHost"/>, begun again when a mutant brought it down or was ended for hanging.</summary>
internal sealed class MutantProcess : IDisposable
{
    private Process? process;

    /// <summary>All tests that can be run, and the rings they are in.</summary>
    internal List<(string Name, string Rings)> List()
    {
        Process running = process ??= Start();
        running.StandardInput.WriteLine("list");
        List<(string, string)> tests = [];
        while (running.StandardOutput.ReadLine() is { Length: > 0 } line)
        {
            tests.Add((line.Split('\t')[0], line.Split('\t')[1]));
        }

        return tests;
    }

    /// <summary>Runs one test with one guard removed; 0 removes none.</summary>
    internal Outcome Run(int guard, string test, TimeSpan patience)
    {
        Process running = process ??= Start();
        running.StandardInput.WriteLine($"{guard}\t{test}");
        Task<string?> answer = running.StandardOutput.ReadLineAsync();
        bool hangs = !answer.Wait(patience);
        if (hangs || answer.Result is not { } line)
        {
            Dispose();
            return new Outcome(hangs ? $"hangs: ended after {patience.TotalSeconds:F0} s" : "the process died", patience, []);
        }

        string[] parts = line.Split('\t');
        TimeSpan time = TimeSpan.FromMilliseconds(double.Parse(parts[2], CultureInfo.InvariantCulture));
        int[] heard =
        [
            .. parts[3].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(number => int.Parse(number, CultureInfo.InvariantCulture)),
        ];
        return new Outcome(parts[0] == "passed" ? null : parts[1], time, heard);
    }

    public void Dispose()
    {
        if (process is { } running)
        {
            running.Kill(entireProcessTree: true);
            running.WaitForExit();
            running.Dispose();
            process = null;
        }
    }

    private static Process Start() =>
        Process.Start(
            new ProcessStartInfo("dotnet", [Path.Combine(MutantBuild.Output, "ApolloCheckpoint.Mutants.dll")])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                Environment = { ["TMPDIR"] = MutantBuild.Scratch, ["APOLLO_CRASH_FACTOR"] = "1" },
            }
        )!;
}
