using System.Diagnostics;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>The engine as a service: what it adds to a sync, what it holds while it waits, and how fast its page is.</summary>
internal static class ServeRows
{
    private const int Rounds = 9;
    private const int Tensors = 1_000;
    private const int Versions = 1_000;

    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table, Tool tool)
    {
        MeasureSync(table, tool);
        MeasurePage(table, tool);
    }

    /// <summary>One after the other in turn, so that a machine that is shared is as slow for both.</summary>
    private static void MeasureSync(ResultTable table, Tool tool)
    {
        using LiveModel model = new([("model.embed_tokens.weight", [2048, 512]), ("model.layers.0.mlp.down_proj.weight", [512, 2048])]);
        using ServedModel served = new(tool, model);
        served.Sync();
        List<double> command = [];
        List<double> service = [];
        for (int round = 0; round < Rounds; round++)
        {
            model.ChangeBlocks(0.1);
            long begin = Stopwatch.GetTimestamp();
            tool.Sync(model);
            command.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            model.ChangeBlocks(0.1);
            begin = Stopwatch.GetTimestamp();
            served.Sync();
            service.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
        }

        double more = Median(service) - Median(command);
        table.Add(
            "a sync through `serve`, more than the same on the command line",
            $"{more:F0} ms ({Median(service):F0} against {Median(command):F0} ms; medians of {Rounds}, in turn)",
            "≤ 50 ms",
            more <= 50
        );
        Thread.Sleep(TimeSpan.FromSeconds(5));
        double resident = served.ResidentBytes / 1e6;
        table.Add($"`serve`, idle after {Rounds + 1} syncs: resident", $"{resident:F0} MB", "≤ 126 MB (120 MiB)", resident <= 125.8);
    }

    private static void MeasurePage(ResultTable table, Tool tool)
    {
        using LiveModel model = new(Enumerable.Range(0, Tensors).Select(i => (Name(i), new long[] { 32, 64 })));
        tool.Sync(model);
        LongJournal.Grow(model.ModelPath, Versions);
        using ServedModel served = new(tool, model);
        double first = served.Load("/");
        double[] next = [.. Enumerable.Range(0, Rounds).Select(_ => served.Load("/"))];
        double[] other = [.. Enumerable.Range(1, Rounds).Select(version => served.Load($"/?version={version}"))];
        table.Add(
            $"status page, {Versions:N0} versions of {Tensors:N0} tensors",
            $"{Median(next):F0} ms; another version's picture {Median(other):F0} ms; the very first {first:F0} ms",
            "≤ 300 ms",
            Median(next) <= 300 && Median(other) <= 300
        );
    }

    private static string Name(int i) => $"model.layers.{i / 20}.mlp.experts.{i % 20}.down_proj.weight";

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);
}
