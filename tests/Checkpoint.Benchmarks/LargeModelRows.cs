using System.Text.Json.Nodes;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>The large model: old program against new, and nothing changed against the limit of the machine.</summary>
internal static class LargeModelRows
{
    private const double BlockShare = 0.005;
    private const string Goal = "≥ 40 ×, or ≤ 1.5 × the floor where that is slower";

    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table, Tool tool, double gigabytes)
    {
        using LiveModel model = new(gigabytes * 1e9);
        string size = $"{model.Bytes / 1e9:F1} GB";
        (CompareLimit.Cost limit, CompareLimit.Cost reading) = Limit(table, model, size);
        MeasuredRun? old = Old(table, model, size);
        // The old program wrote the change into the files; made once more, the same bits flip back: the same change.
        MeasuredRun first = tool.Sync(model).Run;
        table.Add($"the first sync ever of {size}, which measures every file", first.ToString());
        Unchanged(table, tool, model, size, limit);
        New(table, tool, model, size, old, reading);
    }

    private static (CompareLimit.Cost Limit, CompareLimit.Cost Reading) Limit(ResultTable table, LiveModel model, string size)
    {
        (CompareLimit.Cost fresh, CompareLimit.Cost limit) = CompareLimit.Measure(model, Environment.ProcessorCount);
        (_, CompareLimit.Cost single) = CompareLimit.Measure(model, 1);
        table.Add(
            $"this machine's compare limit: memcmp of both sides of {size}, all cores",
            $"{limit.Wall:F2} s, CPU {limit.Cpu:F2} s (one core {single.Wall:F2} s; with the faults of a fresh mapping {fresh.Wall:F2} s, CPU {fresh.Cpu:F2} s)"
        );
        CompareLimit.Cost reading = CompareLimit.MeasureReading(model, Environment.ProcessorCount);
        table.Add(
            $"floor of a fresh process: both sides of {size} read once by pread, nothing else",
            $"{reading.Wall:F2} s, CPU {reading.Cpu:F2} s"
        );
        return (limit, reading);
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

    private static void Unchanged(ResultTable table, Tool tool, LiveModel model, string size, CompareLimit.Cost limit)
    {
        MeasuredRun run = Best(() => tool.Sync(model).Run);
        double ratio = run.Cpu / limit.Cpu;
        table.Add(
            $"nothing changed, {size}, state page, digests included",
            $"{run}: {run.Wall / limit.Wall:F2} × the limit by the clock, {ratio:F2} × by CPU",
            "≤ 1.5 ×",
            Math.Min(ratio, run.Wall / limit.Wall) <= 1.5
        );
    }

    private static void New(ResultTable table, Tool tool, LiveModel model, string size, MeasuredRun? old, CompareLimit.Cost floor)
    {
        long changed = 0;
        // The same bits flip forth and back.
        (MeasuredRun run, JsonNode report) = Enumerable
            .Range(0, 3)
            .Select(_ =>
            {
                changed = model.ChangeBlocks(BlockShare);
                return tool.Sync(model);
            })
            .OrderBy(result => result.Run.Wall)
            .ElementAt(1);
        table.Add(
            $"this program, the same change ({changed / 1e6:F1} MB of blocks), median of 3",
            $"{run} (scan {Tool.Stage(report, "scan"):F2} s, commit {Tool.Stage(report, "commit"):F2} s, fold {Tool.Stage(report, "fold"):F2} s; delta {report["deltaBytes"]} bytes)"
        );
        table.Add("its private memory", $"{run.PrivateBytes / 1e6:F0} MB", "≤ 268 MB (256 MiB)", run.PrivateBytes <= 256 << 20);
        if (old is null)
        {
            table.Blank($"old against new, {size}", Goal, "there is no old program here");
            return;
        }

        table.Add(
            "old against new: time",
            $"{old.Wall / run.Wall:F1} × by the clock, {old.Cpu / run.Cpu:F1} × by CPU; this program {run.Wall / floor.Wall:F1} × the floor of reading",
            Goal,
            old.Wall / run.Wall >= 40 || run.Wall <= 1.5 * floor.Wall
        );
        double memory = old.PrivateBytes / (double)run.PrivateBytes;
        table.Add("old against new: private memory", $"{memory:F0} ×", "≥ 20 ×", memory >= 20);
        double written = old.WrittenBytes / (double)run.WrittenBytes;
        table.Add("old against new: bytes written", $"{written:F0} ×", "≥ 100 ×", written >= 100);
    }

    private static MeasuredRun Best(Func<MeasuredRun> run) =>
        Enumerable.Range(0, 3).Select(_ => run()).MinBy(measured => measured.Wall) ?? throw new InvalidOperationException("no runs");
}
