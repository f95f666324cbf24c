using System.Globalization;
using System.Text.Json;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// The product's promise on a real vLLM: what a trainer did to the served weights is in the model's files after a sync, so that a server
/// that starts afresh answers as the one still serving, to the last bit of each log-probability, and transformers agrees. Each test leaves
/// the files equal to the served weights, so their order does not matter.
/// </summary>
[Trait("Ring", "vllm")]
[Collection(VllmCollection.Name)]
public abstract class ServedModelTests(ServedModel served)
{
    /// <summary>The server and the model's files.</summary>
    private protected ServedModel Model { get; } = served;

    [SkippableFact]
    public void A_sync_of_weights_that_nobody_changed_finds_nothing()
    {
        VllmSite.SkipIfMissing();
        SyncReport report = Model.Sync();

        Assert.Equal((false, 0L), (report.Changed, report.ChangedElements));
        Assert.Equal(report.TensorsNotLive == 0, report.ModelBytes == report.ComparedBytes);
    }

    [SkippableFact]
    public void Weights_that_a_torch_optimizer_changed_come_back_from_the_files_in_vllm_and_in_transformers()
    {
        VllmSite.SkipIfMissing();
        IReadOnlyList<Completion> before = Model.Served();
        Model.Reference(before).AssertAgree(before);

        (SyncReport report, JsonElement trained) = ChangeSyncAndCompare(Model.Trainer, [Model.ModelPath, "4"]);

        AssertLearned(trained);
        Assert.Equal(new ConsistencyLabel(ConsistencyKind.Step, trained.GetProperty("step").GetInt64()), report.Label);
        IReadOnlyList<Completion> after = Model.Served();
        Model.Reference(after).AssertAgree(after);
        Model.Reference(before).AssertDiffer(before);
    }

    /// <summary>Trains, sees the answers change, syncs, and asks a fresh server.</summary>
    private protected (SyncReport Report, JsonElement Trained) ChangeSyncAndCompare(
        string script,
        string[] arguments,
        bool trainerLives = true,
        Func<SyncRequest, SyncRequest>? change = null
    )
    {
        IReadOnlyList<Completion> before = Model.Served();
        (PythonProcess trainer, JsonElement trained) = Model.Train(script, arguments);
        using (trainer)
        {
            if (!trainerLives)
            {
                trainer.ExpectEnd();
            }

            IReadOnlyList<Completion> serving = Model.Served();
            Assert.NotEqual(before, serving);

            SyncReport report = Model.Sync(change);
            string changed = string.Create(CultureInfo.InvariantCulture, $"{report.ChangedElements} of {report.ComparedElements} elements");
            Assert.True(report.Changed && report.ChangedElements > 0, changed);
            Assert.Equal(serving, Model.Fresh());
            return (report, trained);
        }
    }

    /// <summary>The trainer's loss fell: it trained the served weights, and did not only write to them.</summary>
    private protected static void AssertLearned(JsonElement trained)
    {
        double[] losses = [.. trained.GetProperty("losses").EnumerateArray().Select(loss => loss.GetDouble())];
        Assert.True(losses[^1] < losses[0], $"the loss did not fall: {string.Join(' ', losses)}");
    }
}
