using System.Text.Json.Nodes;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>Planning of a model with very many tensors: the stage of a dry run, in a fresh process as a user starts it.</summary>
internal static class PlanningRows
{
    private const int Tensors = 10_000;
    private const int Shards = 200;

    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table, Tool tool)
    {
        IEnumerable<(string, long[])> tensors = Enumerable
            .Range(0, Tensors)
            .Select(i => ($"model.layers.{i / 100}.mlp.experts.{i % 100}.down_proj.weight", new long[] { 16, 16 }));
        using LiveModel model = new(tensors, shardBytes: Tensors / Shards * 512);
        (_, JsonNode report) = Enumerable
            .Range(0, 3)
            .Select(_ =>
                tool.Run([
                    "sync",
                    "--dry-run",
                    "--output",
                    "json",
                    "--model-dir",
                    model.ModelPath,
                    "--source",
                    "safetensors",
                    "--handles",
                    model.ModelPath,
                ])
            )
            .MinBy(result => Tool.Stage(result.Report, "plan"));
        double plan = Tool.Stage(report, "plan") * 1000;
        table.Add(
            "planning 10 000 tensors in 200 shards",
            $"{plan:F0} ms (reading 200 headers {Tool.Stage(report, "open") * 1000:F0} ms), best of 3 processes",
            "≤ 100 ms",
            plan <= 100
        );
    }
}
