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
    /// <summary>Runs and prints.</summary>
    /// <param name="gigabytes">Size of the large model.</param>
    public static void Run(double gigabytes)
    {
        Console.WriteLine($"{DateTime.UtcNow:yyyy-MM-dd}, {Machine()}; model of {gigabytes.ToString(CultureInfo.InvariantCulture)} GB\n");
        ResultTable table = new();
        Tool tool = Tool.Find(Repository.Root);
        table.Section("start-up", () => StartRows.Measure(table, tool));
        table.Section("service", () => ServeRows.Measure(table, tool));
        table.Section("planning", () => PlanningRows.Measure(table, tool));
        table.Section("codec", () => CodecRows.Measure(table));
        table.Section("delta size", () => DeltaRows.Measure(table));
        table.Section("large model", () => LargeModelRows.Measure(table, tool, gigabytes));
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
