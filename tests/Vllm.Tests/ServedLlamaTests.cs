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

    [SkippableFact]
    public void A_restarted_server_goes_on_from_the_version_it_loaded_and_never_undoes_a_newer_one()
    {
        VllmSite.SkipIfMissing();
        ChangeSyncAndCompare("poke.py", ["11", "0.01"], trainerLives: false);
        SyncReport taken = Model.SyncFresh();
        Assert.Equal((false, 0L), (taken.Changed, taken.ChangedElements));

        using PythonProcess trainer = Model.Train("poke.py", "12", "0.01").Trainer;
        trainer.ExpectEnd();
        SyncReport newer = Model.Sync();
        Assert.Equal(taken.Version + 1, newer.Version);
        CheckpointException refused = Assert.Throws<CheckpointException>(() => Model.SyncFresh());
        Assert.Equal(CheckpointError.ProducerStale, refused.Error);
    }
}
