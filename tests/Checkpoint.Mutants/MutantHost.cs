using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Tests;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Mutants;

/// <summary>
/// The process that runs tests on the engine with switches. A line in: number of the guard to remove (0: none), a tab, a test's name.
/// A line out: "passed" or "failed", what it failed with, milliseconds, and the guards that had their say, all separated by tabs.
/// The line "list" gives the names of all tests with their rings, and an empty line.
/// </summary>
internal static class MutantHost
{
    private const BindingFlags Hidden = BindingFlags.NonPublic | BindingFlags.Static;

    internal static void Main()
    {
        // The answers are the only thing on the real output: tests may write to the console as they like.
        using StreamWriter answers = new(Console.OpenStandardOutput()) { AutoFlush = true };
        Console.SetOut(TextWriter.Null);
        TestRun[] runs = [new(typeof(MutantHost).Assembly), new(typeof(SyncEngineTests).Assembly)];
        Type guarded = typeof(SyncEngine).Assembly.GetType("ApolloCheckpoint.Engine.Guarded", throwOnError: true)!;
        FieldInfo removed = guarded.GetField("Removed", Hidden)!;
        bool[] spoke = (bool[])guarded.GetField("Spoke", Hidden)!.GetValue(null)!;
        while (Console.In.ReadLine() is { } line)
        {
            if (line == "list")
            {
                List(runs, answers);
                continue;
            }

            string[] parts = line.Split('\t');
            Array.Clear(spoke);
            removed.SetValue(null, int.Parse(parts[0], CultureInfo.InvariantCulture));
            long begin = Stopwatch.GetTimestamp();
            string? failure = runs.First(run => run.Cases.ContainsKey(parts[1])).Run(parts[1]);
            removed.SetValue(null, 0);
            double milliseconds = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            string heard = string.Join(',', Enumerable.Range(1, spoke.Length - 1).Where(i => spoke[i]));
            string why = failure?.ReplaceLineEndings(" ").Replace('\t', ' ') ?? "";
            answers.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{(failure is null ? "passed" : "failed")}\t{why}\t{milliseconds:F0}\t{heard}")
            );
        }
    }

    private static void List(TestRun[] runs, StreamWriter answers)
    {
        foreach ((string name, ITestCase test) in runs.SelectMany(run => run.Cases))
        {
            answers.WriteLine($"{name}\t{string.Join(',', test.Traits.GetValueOrDefault("Ring") ?? [])}");
        }

        answers.WriteLine();
    }
}
