using System.Text.Json.Nodes;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>Changes as training scatters them, which dirty nearly every page: what each way of folding costs.</summary>
internal static class TrainingRows
{
    private const int Versions = 6;

    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table, Tool tool, LiveModel model, string size)
    {
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
                table.Add(
                    $"{size}, training scatter {share:P1}, --fold always by {way}",
                    $"{run} (scan {Tool.Stage(report, "scan"):F2} s, fold {Tool.Stage(report, "fold"):F2} s; delta {report["deltaBytes"]} bytes)",
                    way == "auto" ? "≤ 1.2 × the better way" : "",
                    way == "auto" ? walls["auto"] <= 1.2 * Math.Min(walls["patch"], walls["replace"]) : null
                );
            }

            Deferred(table, tool, model, size, deviation, ref seed);
        }
    }

    private static void Deferred(ResultTable table, Tool tool, LiveModel model, string size, float deviation, ref int seed)
    {
        double share = 0;
        List<MeasuredRun> runs = [];
        for (int version = 0; version < Versions; version++)
        {
            share = model.Train(deviation, seed++);
            runs.Add(tool.Sync(model, "--fold", $"{Versions}").Run);
        }

        table.Add(
            $"{size}, training scatter {share:P1}, --fold {Versions}, a sync on average",
            $"{runs.Average(run => run.Wall):F2} s, CPU {runs.Average(run => run.Cpu):F2} s, written {runs.Average(run => run.WrittenBytes) / 1e6:F1} MB; "
                + $"of the {Versions}: {string.Join(", ", runs.Select(run => $"{run.Wall:F1}"))} s"
        );
    }
}
