namespace ApolloCheckpoint.Benchmarks;

/// <summary>What a sync costs when there is nothing to do: the whole process, on a model of 40 kB.</summary>
internal static class StartRows
{
    private const int Rounds = 9;

    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table, Tool tool)
    {
        using LiveModel model = new([("model.embed_tokens.weight", [128, 64]), ("model.layers.0.mlp.down_proj.weight", [64, 192])]);
        tool.Sync(model);
        MeasuredRun[] runs = [.. Enumerable.Range(0, Rounds).Select(_ => tool.Sync(model).Run).OrderBy(run => run.Wall)];
        double wall = runs[Rounds / 2].Wall * 1000;
        double cpu = runs.Select(run => run.Cpu).Order().ElementAt(Rounds / 2) * 1000;
        table.Add(
            "`sync` of an unchanged tiny model, whole process",
            $"{wall:F0} ms (CPU {cpu:F0} ms; median of {Rounds}, best {runs[0].Wall * 1000:F0} ms)",
            "≤ 150 ms",
            wall <= 150
        );
    }
}
