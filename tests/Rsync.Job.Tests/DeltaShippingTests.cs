using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;
using Xunit;

namespace ApolloCheckpoint.Rsync.Tests;

/// <summary>Deltas between two nights, with the real engine and the real rsync.</summary>
public sealed class DeltaShippingTests : IDisposable
{
    private readonly SyncedModel model = new();

    public DeltaShippingTests() => Skip.IfNot(File.Exists("/usr/bin/rsync"), "rsync is not installed");

    [SkippableFact]
    public async Task Copy_of_last_night_and_the_deltas_since_are_the_newest_version()
    {
        model.Step();
        OffsiteReport night = await model.Ship();
        model.Step();
        model.Step(foldEvery: 0);

        DeltaReport report = await Deltas();

        Assert.Equal((3L, 2, night.Snapshot), (report.Version, report.Deltas, report.Snapshot));
        Assert.False(model.HoldsLive(model.Current));
        Assert.True(model.HoldsLive(await model.RestoreFromFarSide()));
        Assert.Equal(3, OffsiteState.TryRead(Disk.Instance, model.Directory)!.NewestVersion);
    }

    [SkippableFact]
    public async Task Nothing_new_is_nothing_to_ship()
    {
        model.Step();
        await model.Ship();
        Assert.Equal((1L, 0, 0L), await Deltas() is var report ? (report.Version, report.Deltas, report.SentBytes) : default);
    }

    [SkippableFact]
    public async Task Interrupted_shipping_leaves_an_unbroken_run_and_is_continued()
    {
        model.Step();
        await model.Ship();
        model.Step();
        model.Step();
        // Only the first of the two arrived.
        File.Copy(Path.Combine(model.Directory, ".apollo/journal/0000000002.delta"), There("0000000002.delta"));
        Assert.Equal(1, (await Deltas()).Deltas);
        Assert.True(model.HoldsLive(await model.RestoreFromFarSide()));
    }

    [SkippableFact]
    public async Task Name_that_is_there_with_other_bytes_is_refused_and_never_overwritten()
    {
        model.Step();
        await model.Ship();
        model.Step();
        File.WriteAllText(There("0000000002.delta"), "another history's");
        CheckpointException e = await Refused();
        Assert.Contains("0000000002.delta with other bytes", e.Message);
        Assert.Equal("another history's", File.ReadAllText(There("0000000002.delta")));
    }

    [SkippableFact]
    public async Task Delta_with_the_same_bytes_and_another_time_is_no_other_delta()
    {
        model.Step();
        await model.Ship();
        File.SetLastWriteTimeUtc(There("0000000001.delta"), DateTime.UnixEpoch);
        Assert.Equal(0, (await Deltas()).Deltas);
    }

    [SkippableFact]
    public async Task Deltas_without_a_copy_are_refused()
    {
        model.Step();
        Assert.Contains("holds no copy of the model yet", (await Refused()).Message);
    }

    [SkippableFact]
    public async Task Deltas_of_another_history_are_refused_and_a_new_copy_mends_it()
    {
        model.Step();
        await model.Ship();
        new HistoryEngine(model.Directory).Adopt(CancellationToken.None);
        model.Step();
        Assert.Contains("of another history", (await Refused()).Message);
        await model.Ship(hoursLater: 1);
        model.Step();
        await Deltas();
        Assert.True(model.HoldsLive(await model.RestoreFromFarSide()));
    }

    [SkippableFact]
    public async Task Gap_that_a_prune_made_is_refused_and_a_new_copy_mends_it()
    {
        model.Step();
        await model.Ship();
        model.Step();
        model.Step();
        model.Step();
        new HistoryEngine(model.Directory).Prune(1, null, CancellationToken.None);
        Assert.Contains("what lies between was pruned", (await Refused()).Message);
        await model.Ship(hoursLater: 1);
        Assert.Equal([".apollo/journal/0000000004.delta"], SyncedModel.Files(model.Current).Where(name => name.EndsWith(".delta")));
        Assert.True(model.HoldsLive(await model.RestoreFromFarSide()));
    }

    [SkippableFact]
    public async Task Model_that_was_set_back_is_refused()
    {
        model.Step();
        string before = model.File("before");
        await CliWrap.Cli.Wrap("cp").WithArguments(["-a", model.Directory, before]).ExecuteAsync();
        model.Step();
        await model.Ship();
        OffsiteOptions older = model.Options with { ModelDirectory = before };
        CheckpointException e = await Assert.ThrowsAsync<CheckpointException>(() => model.Job(older).ShipDeltasAsync(default));
        Assert.Contains("was set back", e.Message);
    }

    public void Dispose() => model.Dispose();

    private string There(string delta) => Path.Combine(model.Current, ".apollo/journal", delta);

    private Task<DeltaReport> Deltas() => model.Job().ShipDeltasAsync(CancellationToken.None);

    private async Task<CheckpointException> Refused()
    {
        CheckpointException e = await Assert.ThrowsAsync<CheckpointException>(Deltas);
        Assert.Equal((CheckpointError.OffsiteForeign, 20), (e.Error, e.ExitCode));
        return e;
    }
}
