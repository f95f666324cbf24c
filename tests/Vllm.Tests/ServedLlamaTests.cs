using System.Text.Json;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>Llama; and once through pythonnet, with vLLM's own torch.</summary>
public sealed class ServedLlamaTests(ServedLlama served) : ServedModelTests(served), IClassFixture<ServedLlama>
{
    [SkippableFact]
    public void Weights_that_torch_trained_come_back_through_pythonnet_too()
    {
        VllmSite.SkipIfMissing();
        string python = Model.VirtualEnvironment();
        (SyncReport report, JsonElement trained) = ChangeSyncAndCompare(
            "train.py",
            [Model.ModelPath, "3"],
            change: request => request with { Source = SourceKind.Python, Python = python, ToolCommand = BuiltTool.Command }
        );

        AssertLearned(trained);
        Assert.Equal("python", report.Source);
    }
}
