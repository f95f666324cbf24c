using System.Text.Json;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>Loads all models in one Python process and keeps what the hook published for each.</summary>
public sealed class PublishedLayouts : IDisposable
{
    private readonly TempDirectory folder = new();
    private readonly Lazy<Dictionary<string, JsonElement>> answers;

    /// <summary>Nothing runs before the first question.</summary>
    public PublishedLayouts() => answers = new Lazy<Dictionary<string, JsonElement>>(Load);

    internal static IReadOnlyList<string> Models { get; } =
    [
        .. Directory
            .EnumerateFiles(Fixtures.Layouts, "*.json")
            .Select(file => Path.GetFileNameWithoutExtension(file))
            .Where(model => Directory.Exists(Path.Combine(Fixtures.Models, model)))
            .Order(StringComparer.Ordinal),
    ];

    /// <inheritdoc/>
    public void Dispose() => folder.Dispose();

    internal JsonElement Of(string model)
    {
        JsonElement answer = answers.Value[model];
        Assert.False(answer.TryGetProperty("error", out JsonElement error), error.ToString());
        return answer.GetProperty("handles");
    }

    private Dictionary<string, JsonElement> Load()
    {
        string exportDir = folder.File("export");
        string[] arguments = [exportDir, .. Models.Select(model => Path.Combine(Fixtures.Models, model))];
        using PythonProcess python = new(exportDir, HookInstall.PythonPath(folder.Folder("site")), "layouts.py", arguments);
        Dictionary<string, JsonElement> all = Models.ToDictionary(model => model, _ => python.Answer());
        python.ExpectEnd();
        return all;
    }
}
