using System.Text.Json;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// The promise on several ranks: all of them are one version. That the files hold what is served shows in a reload: the server reads them
/// and answers as before, to the last bit, on the same ranks.
/// </summary>
[Trait("Ring", "vllm")]
[Collection(VllmCollection.Name)]
public abstract class ServedRanksTests(ServedRanks served) : IDisposable
{
    private readonly List<PythonProcess> trainers = [];

    /// <summary>The server and the model's files.</summary>
    private protected ServedRanks Model { get; } = served;

    [SkippableFact]
    public void Weights_that_a_trainer_changed_on_all_ranks_are_one_version_and_come_back_from_the_files()
    {
        VllmSite.SkipIfMissing();
        IReadOnlyList<Completion> before = Model.Served();
        Assert.False(Model.Sync().Changed);
        Assert.All(Model.Rpc("apollo_state").EnumerateArray(), state => Assert.True(state.GetProperty("published").GetBoolean()));

        IReadOnlyList<Completion> trained = Train(out JsonElement answer);
        Assert.NotEqual(before, trained);
        SyncReport report = Model.Sync();
        Assert.Equal(new ConsistencyLabel(ConsistencyKind.Step, answer.GetProperty("step").GetInt64()), report.Label);
        Assert.True(answer.GetProperty("pieces").GetInt32() > answer.GetProperty("tensors").GetInt32(), "nothing is on two ranks");
        Model.Reference(trained).AssertAgree(trained);

        Assert.NotEqual(trained, Train(out _));
        Model.Rpc("reload_weights");
        Assert.Equal(trained, Model.Served());
        Assert.False(Model.Sync().Changed);
    }

    [SkippableFact]
    public void A_copy_that_the_trainer_forgot_is_said_of_the_version()
    {
        VllmSite.SkipIfMissing();
        _ = Model.Served();
        (PythonProcess trainer, JsonElement changed) = Model.Train("change_one_copy.py");
        trainer.Dispose();

        SyncReport report = Model.Sync(request => request with { DryRun = true });

        Assert.Equal(ConsistencyKind.Mixed, report.Label.Kind);
        Assert.Equal([changed.GetProperty("name").GetString()!], report.Label.MixedTensors);
        Assert.Contains(
            report.Warnings,
            warning => warning.Contains("several ranks compute with copies of 1 tensors", StringComparison.Ordinal)
        );
        Model.Rpc("reload_weights");
        Assert.NotEqual(ConsistencyKind.Mixed, Model.Sync().Label.Kind);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        trainers.ForEach(trainer => trainer.Dispose());
        GC.SuppressFinalize(this);
    }

    private IReadOnlyList<Completion> Train(out JsonElement answer)
    {
        (PythonProcess trainer, answer) = Model.Train(Model.Trainer, Model.ModelPath, "3");
        // Alive while it is asked: a page whose writer is gone says nothing about the weights.
        trainers.Add(trainer);
        return Model.Served();
    }
}
