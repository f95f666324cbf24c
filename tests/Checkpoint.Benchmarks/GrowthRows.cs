namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// Private memory and time as the model grows. The files are sparse, so that 6 GB a side cost no disk; reading a hole costs what reading
/// cached bytes costs, less the copy of them from memory.
/// </summary>
internal static class GrowthRows
{
    private const int Pairs = 3;
    private const double Largest = 54;
    private static readonly double[] Sizes = [0.1, 1, 3, 6];

    /// <summary>Measures.</summary>
    /// <param name="table">Takes the rows.</param>
    /// <param name="tool">The program.</param>
    /// <param name="gigabytes">Size of the large model; sizes of more than about twice of it are left out, so that a small run is short.</param>
    public static void Measure(ResultTable table, Tool tool, double gigabytes)
    {
        using LiveModel tiny = new([("model.embed_tokens.weight", [128, 64])]);
        tool.Sync(tiny);
        List<(double Gigabytes, long PrivateBytes, double SecondsAGigabyte, double CpuAGigabyte)> rows = [];
        foreach (double size in Sizes.Where(size => size <= 2.1 * gigabytes))
        {
            using LiveModel model = new(size * 1e9, isSparse: true);
            MeasuredRun first = tool.Sync(model).Run;
            // Start-up is the same at every size, and is measured beside every run: a pair.
            (MeasuredRun Run, MeasuredRun Start)[] pairs =
            [
                .. Enumerable.Range(0, Pairs).Select(_ => (tool.Sync(model).Run, tool.Sync(tiny).Run)),
            ];
            model.Touch(0.005, 1);
            MeasuredRun patch = tool.Sync(model, "--fold-way", "patch").Run;
            rows.Add(
                (
                    model.Bytes / 1e9,
                    new[] { first, patch }.Concat(pairs.Select(pair => pair.Run)).Max(run => run.PrivateBytes),
                    Median(pairs.Select(pair => (pair.Run.Wall - pair.Start.Wall) / model.Bytes * 1e9)),
                    Median(pairs.Select(pair => (pair.Run.Cpu - pair.Start.Cpu) / model.Bytes * 1e9))
                )
            );
        }

        string sizes = string.Join(" / ", rows.Select(row => $"{row.Gigabytes:F1}"));
        table.Add(
            $"private memory, {sizes} GB, sparse: first sync, nothing changed, a patch of 0.5 % of the blocks",
            string.Join(" / ", rows.Select(row => $"{row.PrivateBytes / 1e6:F0}")) + " MB",
            "≤ 268 MB (256 MiB)",
            rows.TrueForAll(row => row.PrivateBytes <= 256 << 20)
        );
        double[] costs = [.. rows.Select(row => row.SecondsAGigabyte)];
        table.Add(
            $"seconds a GB beyond start-up, nothing changed, {sizes} GB, median of {Pairs} pairs",
            $"{string.Join(" / ", costs.Select(cost => $"{cost:F3}"))} s, CPU {string.Join(" / ", rows.Select(row => $"{row.CpuAGigabyte:F3}"))} s",
            "flat within 20 %",
            costs.Max() <= 1.2 * costs.Min()
        );
        table.Add(
            $"nothing changed, {Largest} GB, computed from the row above, not measured",
            $"{Largest * costs[^1]:F1} s, CPU {Largest * rows[^1].CpuAGigabyte:F1} s"
        );
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Pairs / 2);
}
