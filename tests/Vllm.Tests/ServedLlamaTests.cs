using System.Text.Json;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>Llama; and what needs one family only: no torch, pythonnet with vLLM's own torch, restarts, reloads.</summary>
public sealed class ServedLlamaTests(ServedLlama served) : ServedModelTests(served), IClassFixture<ServedLlama>
{
    [SkippableFact]
    public void Weights_that_torch_trained_come_back_through_pythonnet_too()
    {
        VllmSite.SkipIfMissing();
        string python = Model.Environment;
        (SyncReport report, JsonElement trained) = ChangeSyncAndCompare(
            "train.py",
            [Model.ModelPath, "3"],
            change: request => request with { Source = SourceKind.Python, Python = python, ToolCommand = BuiltTool.Command }
        );

        AssertLearned(trained);
        Assert.Equal("python", report.Source);
    }

    [SkippableFact]
    public void Weights_that_a_second_process_changed_through_the_mapping_come_back_from_the_files()
    {
        VllmSite.SkipIfMissing();
        SyncReport report = ChangeSyncAndCompare("poke.py", ["7", "0.01"], trainerLives: false).Report;

        Assert.Equal(ConsistencyKind.Stable, report.Label.Kind);
    }

    [SkippableFact]
    public void A_reload_puts_the_files_into_the_same_memory_and_what_is_published_stays_true()
    {
        VllmSite.SkipIfMissing();
        IReadOnlyList<Completion> before = Model.Served();
        using PythonProcess trainer = Model.Train("poke.py", "21", "0.01").Trainer;
        trainer.ExpectEnd();
        Assert.NotEqual(before, Model.Served());

        Model.Rpc("reload_weights");
        Assert.Equal(before, Model.Served());
        Assert.False(Model.Sync().Changed);
        ChangeSyncAndCompare("poke.py", ["22", "0.01"], trainerLives: false);
    }

    [SkippableFact]
    public void Asked_to_publish_again_the_worker_does_so_in_place()
    {
        VllmSite.SkipIfMissing();
        JsonElement before = Model.Rpc("apollo_state")[0];
        JsonElement after = Model.Rpc("apollo_export")[0];

        Assert.Equal(before.GetProperty("generation").GetInt32() + 1, after.GetProperty("generation").GetInt32());
        Assert.Equal(before.GetProperty("proven").GetInt32(), after.GetProperty("proven").GetInt32());
        ChangeSyncAndCompare("poke.py", ["23", "0.01"], trainerLives: false);
    }

    [SkippableFact]
    public void Files_that_are_behind_the_journal_are_folded_before_a_fresh_server_reads_them()
    {
        VllmSite.SkipIfMissing();
        ChangeSyncAndCompare("poke.py", ["31", "0.01"], trainerLives: false);
        (SyncReport report, _) = ChangeSyncAndCompare(
            "poke.py",
            ["32", "0.01"],
            trainerLives: false,
            change: request => request with { FoldEvery = 1000 }
        );

        // What the fresh server then answered is checked by the comparison.
        Assert.Equal(report.Version - 1, report.FilesVersion);
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
        // The fresh one went on from there; now the first is the one that did not.
        SyncReport newer = Model.Sync(request => request with { AcceptProducer = true });
        Assert.Equal(taken.Version + 1, newer.Version);
        CheckpointException refused = Assert.Throws<CheckpointException>(() => Model.SyncFresh());
        Assert.Equal(CheckpointError.ProducerStale, refused.Error);
    }
}
