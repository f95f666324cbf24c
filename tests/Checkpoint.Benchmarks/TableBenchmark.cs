using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics.X86;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// Every number that the project promises, in one table from one run. Wall time is what a user waits; processor seconds (CPU, user and
/// system) hold still when the machine is shared. Everything is warm: both sides are in the page cache when the clock starts.
/// </summary>
internal static class TableBenchmark
{
    /// <summary>The sections, as <c>--rows</c> names them.</summary>
    public static IReadOnlyList<string> Names =>
        ["start", "service", "planning", "compare", "codec", "delta", "cuda", "python", "large", "growth", "scatter"];

    /// <summary>Runs and prints.</summary>
    /// <param name="gigabytes">Size of the large model.</param>
    /// <param name="rows">Which sections.</param>
    public static void Run(double gigabytes, IReadOnlyCollection<string> rows)
    {
        Console.WriteLine($"{DateTime.UtcNow:yyyy-MM-dd}, {Machine()}; model of {gigabytes.ToString(CultureInfo.InvariantCulture)} GB\n");
        ResultTable table = new();
        Tool tool = Tool.Find(Repository.Root);
        Dictionary<string, Action> sections = new()
        {
            ["start"] = () => StartRows.Measure(table, tool),
            ["service"] = () => ServeRows.Measure(table, tool),
            ["planning"] = () => PlanningRows.Measure(table, tool),
            ["compare"] = () => CompareRows.Measure(table),
            ["codec"] = () => CodecRows.Measure(table),
            ["delta"] = () => DeltaRows.Measure(table),
            ["cuda"] = () => CudaRows.Measure(table),
            ["python"] = () => PythonRows.Measure(table, tool),
            ["large"] = () => LargeModelRows.Measure(table, tool, gigabytes),
            ["growth"] = () => GrowthRows.Measure(table, tool, gigabytes),
            ["scatter"] = () => ScatterRows.Measure(table, tool, gigabytes),
        };
        long begin = Stopwatch.GetTimestamp();
        foreach (string name in Names.Where(rows.Contains))
        {
            table.Section(name, sections[name]);
        }

        table.Note($"the whole run took {Stopwatch.GetElapsedTime(begin).TotalMinutes:F1} minutes");
        Console.WriteLine(table);
    }

    private static string Machine()
    {
        string model = File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("model name", StringComparison.Ordinal));
        long memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        string vectors =
            Avx512F.IsSupported ? "AVX-512"
            : Avx2.IsSupported ? "AVX2"
            : "no AVX2";
        string load = File.ReadAllText("/proc/loadavg").Split(' ')[0];
        return $"{Environment.ProcessorCount} cores of {model[(model.IndexOf(':') + 2)..]} ({vectors}), {memory / 1e9:F0} GB, load {load}";
    }
}
