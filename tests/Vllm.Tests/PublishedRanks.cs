using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>One Python process that loads a model at a time, in as many processes as it has ranks, and holds it published.</summary>
public sealed class PublishedRanks : IDisposable
{
    private readonly TempDirectory folder = new();
    private readonly Lazy<PythonProcess> python;

    /// <summary>Nothing runs before the first question.</summary>
    public PublishedRanks() =>
        python = new Lazy<PythonProcess>(() =>
            new PythonProcess(ExportDir, HookInstall.PythonPath(folder.Folder("site")), "rank_layouts.py")
        );

    private string ExportDir => folder.File("export");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (python.IsValueCreated)
        {
            python.Value.EndGently();
            python.Value.Dispose();
        }

        folder.Dispose();
    }

    /// <summary>Loads a recorded setup's model from a copy; gives the copy and every rank's handles file.</summary>
    internal (string Directory, JsonElement Ranks) Load(GoldenRanks setup)
    {
        string copy = folder.Folder($"{setup.Model}-{Guid.NewGuid():N}");
        ModelCopy.Of(setup.Model, copy);
        JsonElement answer = python.Value.Ask(setup.Setup(copy));
        Assert.False(answer.TryGetProperty("error", out JsonElement error), error.ToString());
        return (copy, answer.GetProperty("ranks"));
    }

    /// <summary>Syncs what is loaded into its directory.</summary>
    internal SyncReport Sync(string directory) =>
        SyncEngine.Run(new SyncRequest { ModelDirectory = directory, Handles = ExportDir }, NoProgress.Instance, CancellationToken.None);
}
