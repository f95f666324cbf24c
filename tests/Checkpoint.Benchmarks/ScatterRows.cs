using System.Text.Json.Nodes;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// Changes as training scatters them, which dirty nearly every page: what each way of folding costs, each with its floor beside it, which
/// is the time of reading both sides once and of writing as many bytes as it wrote.
/// </summary>
internal static class ScatterRows
{
    private const int Versions = 6;
    private const double MostGigabytes = 1.0;

    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table, Tool tool, double gigabytes)
    {
        using LiveModel model = new(Math.Min(gigabytes, MostGigabytes) * 1e9);
        tool.Sync(model);
        CompareLimit.Cost reading = CompareLimit.MeasureReading(model, Environment.ProcessorCount);
        double rate = DiskRate.Measure(model.ModelPath);
        table.Add(
            $"floor of the rows below: both sides of {model.Bytes / 1e9:F1} GB read once, and the disk's rate",
            $"{reading.Wall:F2} s, CPU {reading.Cpu:F2} s; written and flushed at {rate / 1e9:F2} GB/s"
        );
        double Floor(double written) => reading.Wall + written / rate;

        int seed = 100;
        // Deviations of the update that change about 0.5 % and 5 % of weights of deviation 0.02.
        foreach (float deviation in new[] { 1.1e-7f, 1.5e-6f })
        {
            Dictionary<string, double> walls = [];
            foreach (string way in new[] { "patch", "replace", "auto" })
            {
                double share = model.Train(deviation, seed++);
                (MeasuredRun run, JsonNode report) = tool.Sync(model, "--fold-way", way);
                walls[way] = run.Wall;
                bool? reached = way == "auto" ? walls["auto"] <= 1.2 * Math.Min(walls["patch"], walls["replace"]) : null;
                table.Add(
                    $"scatter {share:P1}, --fold always by {way}",
                    $"{run} (scan {Tool.Stage(report, "scan"):F2} s, fold {Tool.Stage(report, "fold"):F2} s; delta {report["deltaBytes"]} bytes); floor {Floor(run.WrittenBytes):F2} s",
                    way == "auto" ? "≤ 1.2 × the better way" : "",
                    reached
                );
            }

            using TempDirectory memory = TempDirectory.InMemory();
            File.SetUnixFileMode(memory.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Deferred(table, tool, model, deviation, ref seed, Floor, "--fold 6");
            Deferred(table, tool, model, deviation, ref seed, Floor, "--fold 6 --baseline", "--baseline", memory.Path);
        }
    }

    private static void Deferred(
        ResultTable table,
        Tool tool,
        LiveModel model,
        float deviation,
        ref int seed,
        Func<double, double> floor,
        string what,
        params string[] options
    )
    {
        double share = 0;
        List<MeasuredRun> runs = [];
        for (int version = 0; version < Versions; version++)
        {
            share = model.Train(deviation, seed++);
            runs.Add(tool.Sync(model, ["--fold", $"{Versions}", .. options]).Run);
        }

        table.Add(
            $"scatter {share:P1}, {what}, a sync on average",
            $"{runs.Average(run => run.Wall):F2} s, CPU {runs.Average(run => run.Cpu):F2} s, written {runs.Average(run => run.WrittenBytes) / 1e6:F1} MB; "
                + $"of the {Versions}: {string.Join(", ", runs.Select(run => $"{run.Wall:F1}"))} s; floor {runs.Average(run => floor(run.WrittenBytes)):F2} s"
        );
    }
}
