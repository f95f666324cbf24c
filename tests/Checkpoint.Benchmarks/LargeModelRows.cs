using System.Text.Json.Nodes;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>The large model: old program against new, nothing changed against the limit of the machine, growth, and training scatter.</summary>
internal static class LargeModelRows
{
    private const double BlockShare = 0.005;

    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table, Tool tool, double gigabytes)
    {
        using LiveModel model = new(gigabytes * 1e9);
        string size = $"{model.Bytes / 1e9:F1} GB";
        CompareLimit.Cost limit = Limit(table, model, size);
        MeasuredRun? old = Old(table, model, size);
        // The old program wrote the change into the files; made once more, the same bits flip back: the same change.
        MeasuredRun first = tool.Sync(model).Run;
        table.Add($"the first sync ever of {size}, which measures every file", first.ToString());
        List<(double Bytes, MeasuredRun Run)> unchanged = [(model.Bytes, Unchanged(table, tool, model, size, limit))];
        New(table, tool, model, size, old);
        foreach (double smaller in new[] { 1.0, 0.1 }.Where(smaller => smaller < 0.8 * gigabytes))
        {
            using LiveModel small = new(smaller * 1e9);
            tool.Sync(small);
            unchanged.Add((small.Bytes, Best(() => tool.Sync(small).Run)));
        }

        Growth(table, unchanged);
        TrainingRows.Measure(table, tool, model, size);
    }

    private static CompareLimit.Cost Limit(ResultTable table, LiveModel model, string size)
    {
        (CompareLimit.Cost fresh, CompareLimit.Cost limit) = CompareLimit.Measure(model, Environment.ProcessorCount);
        (_, CompareLimit.Cost single) = CompareLimit.Measure(model, 1);
        table.Add(
            $"this machine's compare limit: memcmp of both sides of {size}, all cores",
            $"{limit.Wall:F2} s, CPU {limit.Cpu:F2} s (one core {single.Wall:F2} s; with the faults of a fresh mapping {fresh.Wall:F2} s, CPU {fresh.Cpu:F2} s)"
        );
        CompareLimit.Cost reading = CompareLimit.MeasureReading(model, Environment.ProcessorCount);
        table.Add(
            $"the floor of a fresh process: both sides of {size} read by pread, nothing else",
            $"{reading.Wall:F2} s, CPU {reading.Cpu:F2} s"
        );
        return limit;
    }

    private static MeasuredRun? Old(ResultTable table, LiveModel model, string size)
    {
        string what = $"old program, {size}, 0.5 % of blocks of 4 KiB changed";
        try
        {
            OldProgram program = OldProgram.Find(TestKit.Repository.Root);
            model.ChangeBlocks(BlockShare);
            MeasuredRun run = program.Sync(model);
            table.Add(what, run.ToString());
            return run;
        }
        catch (InvalidOperationException e)
        {
            table.Blank(what, "", e.Message);
            return null;
        }
    }

    private static MeasuredRun Unchanged(ResultTable table, Tool tool, LiveModel model, string size, CompareLimit.Cost limit)
    {
        MeasuredRun run = Best(() => tool.Sync(model).Run);
        double ratio = run.Cpu / limit.Cpu;
        table.Add(
            $"nothing changed, {size}, state page, digests included",
            $"{run}: {run.Wall / limit.Wall:F2} × the limit by the clock, {ratio:F2} × by CPU",
            "≤ 1.5 ×",
            Math.Min(ratio, run.Wall / limit.Wall) <= 1.5
        );
        return run;
    }

    private static void New(ResultTable table, Tool tool, LiveModel model, string size, MeasuredRun? old)
    {
        long changed = model.ChangeBlocks(BlockShare);
        (MeasuredRun run, JsonNode report) = tool.Sync(model);
        table.Add(
            $"this program, the same change ({changed / 1e6:F1} MB of blocks)",
            $"{run} (scan {Tool.Stage(report, "scan"):F2} s, commit {Tool.Stage(report, "commit"):F2} s, fold {Tool.Stage(report, "fold"):F2} s; delta {report["deltaBytes"]} bytes)"
        );
        table.Add("its private memory", $"{run.PrivateBytes / 1e6:F0} MB", "≤ 268 MB (256 MiB)", run.PrivateBytes <= 256 << 20);
        if (old is null)
        {
            table.Blank($"old against new, {size}", "≥ 40 × (≥ 10 × at first)", "there is no old program here");
            return;
        }

        table.Add(
            "old against new: time",
            $"{old.Wall / run.Wall:F1} × by the clock, {old.Cpu / run.Cpu:F1} × by CPU",
            "≥ 40 × (≥ 10 × at first)",
            old.Wall / run.Wall >= 40
        );
        double memory = old.PrivateBytes / (double)run.PrivateBytes;
        table.Add("old against new: private memory", $"{memory:F0} ×", "≥ 20 ×", memory >= 20);
        double written = old.WrittenBytes / (double)run.WrittenBytes;
        table.Add("old against new: bytes written", $"{written:F0} ×", "≥ 100 ×", written >= 100);
    }

    private static void Growth(ResultTable table, List<(double Bytes, MeasuredRun Run)> runs)
    {
        (double Bytes, MeasuredRun Run)[] ascending = [.. runs.OrderBy(run => run.Bytes)];
        table.Add(
            $"private memory, nothing changed, {string.Join(" / ", ascending.Select(run => $"{run.Bytes / 1e9:F1}"))} GB",
            string.Join(" / ", ascending.Select(run => $"{run.Run.PrivateBytes / 1e6:F0}")) + " MB",
            "≤ 268 MB (256 MiB)",
            runs.TrueForAll(run => run.Run.PrivateBytes <= 256 << 20)
        );
        table.Add(
            "seconds a GB, nothing changed, the same sizes",
            string.Join(" / ", ascending.Select(run => $"{run.Run.Wall / run.Bytes * 1e9:F3}"))
                + " s, CPU "
                + string.Join(" / ", ascending.Select(run => $"{run.Run.Cpu / run.Bytes * 1e9:F3}"))
                + " s (start-up included)"
        );
    }

    private static MeasuredRun Best(Func<MeasuredRun> run) =>
        Enumerable.Range(0, 3).Select(_ => run()).MinBy(measured => measured.Wall) ?? throw new InvalidOperationException("no runs");
}
