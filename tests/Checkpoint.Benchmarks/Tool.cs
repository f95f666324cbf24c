using System.Text.Json.Nodes;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>The published program under measurement.</summary>
internal sealed class Tool
{
    private readonly string path;

    private Tool(string path) => this.path = path;

    /// <summary>The program.</summary>
    public string FilePath => path;

    /// <summary>Finds what <c>build.sh publish</c> made.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static Tool Find(string root)
    {
        string path = Path.Combine(root, "artifacts", "publish", "apollo-checkpoint");
        return File.Exists(path) ? new Tool(path) : throw new InvalidOperationException($"no {path}: ./build.sh publish makes it");
    }

    /// <summary>Runs <c>sync</c> against the live copy of a model.</summary>
    /// <returns>The cost, and the report.</returns>
    public (MeasuredRun Run, JsonNode Report) Sync(LiveModel model, params string[] options) =>
        Run(["sync", "--model-dir", model.ModelPath, "--handles", model.LivePath, "--output", "json", .. options]);

    /// <summary>Runs a verb that prints JSON.</summary>
    public (MeasuredRun Run, JsonNode Report) Run(params string[] arguments)
    {
        MeasuredRun run = MeasuredRun.Of([path, .. arguments]);
        return (run, JsonNode.Parse(run.Output) ?? throw new InvalidOperationException("the tool printed no JSON"));
    }

    /// <summary>Seconds of a stage in a report; 0 when it did not take place.</summary>
    public static double Stage(JsonNode report, string stage) => report["stages"]?[stage]?.GetValue<double>() ?? 0;
}
