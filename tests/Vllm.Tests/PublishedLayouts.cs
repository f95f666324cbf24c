using System.Security.Cryptography;
using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>One Python process that loads a model at a time, by vLLM's loader alone, and holds it published.</summary>
public sealed class PublishedLayouts : IDisposable
{
    private readonly TempDirectory folder = new();
    private readonly Lazy<PythonProcess> python;
    private readonly Lazy<string> pythonPath;

    /// <summary>Nothing runs before the first question.</summary>
    public PublishedLayouts()
    {
        pythonPath = new Lazy<string>(() => HookInstall.PythonPath(folder.Folder("site")));
        python = new Lazy<PythonProcess>(() => new PythonProcess(ExportDir, pythonPath.Value, "layouts.py"));
    }

    /// <summary>The models of the recorded layouts whose files are here.</summary>
    internal static IReadOnlyList<string> Models { get; } =
    [
        .. Directory
            .EnumerateFiles(Fixtures.Layouts, "*.json")
            .Select(file => Path.GetFileNameWithoutExtension(file))
            .Where(model => Directory.Exists(Path.Combine(Fixtures.Models, model)))
            .Order(StringComparer.Ordinal),
    ];

    private string ExportDir => folder.File("export");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (python.IsValueCreated)
        {
            python.Value.Dispose();
        }

        folder.Dispose();
    }

    /// <summary>A copy of a model, for one test.</summary>
    internal string Copy(string model)
    {
        string copy = folder.Folder($"{model}-{Guid.NewGuid():N}");
        ModelCopy.Of(model, copy);
        return copy;
    }

    /// <summary>Loads a model directory and gives the handles file that the hook published.</summary>
    internal JsonElement Load(string directory)
    {
        JsonElement answer = python.Value.Ask(directory);
        Assert.False(answer.TryGetProperty("error", out JsonElement error), error.ToString());
        return answer.GetProperty("handles");
    }

    /// <summary>Syncs what is loaded into its directory.</summary>
    internal SyncReport Sync(string directory) =>
        SyncEngine.Run(new SyncRequest { ModelDirectory = directory, Handles = ExportDir }, NoProgress.Instance, CancellationToken.None);

    /// <summary>Changes the loaded weights in a second process.</summary>
    internal void Poke()
    {
        using PythonProcess poke = new(ExportDir, pythonPath.Value, "poke.py", ExportDir, "5", "0.02");
        poke.Answer();
        poke.ExpectEnd();
    }

    /// <summary>All bytes of the live weights, digested.</summary>
    internal static string DigestOf(JsonElement handles)
    {
        using FileStream weights = File.OpenRead(handles.GetProperty("allocations")[0].GetProperty("path").GetString()!);
        return Convert.ToHexString(SHA256.HashData(weights));
    }
}
