using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests;

/// <summary>Damage on disk that is taken from the live model, and what that can and cannot do.</summary>
public sealed class RepairTests : IDisposable
{
    private const string Damaged = "model.norm.weight";
    private readonly SyncScenario scenario = new();

    private SyncRequest Repair => scenario.Request with { Repair = true };

    public void Dispose() => scenario.Dispose();

    [Fact]
    public void Damage_in_a_tensor_that_is_not_live_is_refused_by_name_and_nothing_is_written()
    {
        scenario.Live.Remove(Damaged);
        scenario.Live.DeclaredNotLive = new Dictionary<string, string> { [Damaged] = "not used" };
        scenario.Live.Step(0.05, seed: 7);
        scenario.Sync();
        Damage();
        scenario.Live.Step(0.05, seed: 8);

        CheckpointException e = scenario.Refused(Repair);

        Assert.Equal(CheckpointError.ShardForeign, e.Error);
        Assert.Contains($"\"{Damaged}\" hold what no version held, and they are not live", e.Message);
        Assert.Equal("to take them from a mirror: restore --from; to take the files as they are: adopt", e.Next);
        Assert.Contains("is unchanged (version 1)", e.ModelState);
        Assert.Single(Directory.GetFiles(scenario.ModelFile(".apollo/journal")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Damage_that_only_the_scan_sees_is_refused_and_repaired(bool isUnfolded)
    {
        SyncRequest lazy = scenario.Request with { FoldEvery = 0 };
        string shard = scenario.ShardOf(Damaged).FilePath;
        DateTime then = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(shard, then);
        scenario.Sync(lazy);
        if (isUnfolded)
        {
            scenario.Live.Step(0.05, seed: 6);
            scenario.Sync(lazy);
        }

        Damage();
        // The file looks as it did: same inode, length and time.
        File.SetLastWriteTimeUtc(shard, then);
        scenario.Live.Step(0.05, seed: 7);

        Assert.Contains($"\"{Damaged}\"", scenario.Refused(lazy).Message);
        SyncReport report = scenario.Sync(Repair with { FoldEvery = 1 });
        Assert.Contains($"1 damaged chunks were taken from the live model: versions before {report.Version} ", report.Warnings[^1]);
        Assert.Equal(report.Version, report.FilesVersion);
        Assert.True(scenario.FilesAreLive());
        AssertSyncsGoOn();
    }

    [Fact]
    public void A_repair_that_was_not_folded_is_folded_by_the_next_command()
    {
        scenario.Live.Step(0.05, seed: 6);
        scenario.Sync();
        Damage();
        scenario.Live.Step(0.05, seed: 7);
        SyncReport repaired = scenario.Sync(Repair with { FoldEvery = 0 });
        Assert.Equal((2, 1), (repaired.Version, repaired.FilesVersion));

        SyncReport next = scenario.Sync(scenario.Request with { FoldEvery = 0 });
        Assert.Equal((false, 2, 2), (next.Changed, next.Version, next.FilesVersion));
        Assert.True(scenario.FilesAreLive());
        AssertSyncsGoOn();
    }

    [Fact]
    public void Nothing_before_a_repair_can_be_restored_and_the_restore_says_so()
    {
        scenario.Live.Step(0.05, seed: 6);
        scenario.Sync();
        Damage();
        scenario.Live.Step(0.05, seed: 7);
        scenario.Sync(Repair);
        byte[] second = [.. scenario.Live[Damaged]];
        scenario.Live.Step(0.05, seed: 8);
        scenario.Sync();
        HistoryEngine history = new(scenario.Model.Path);

        CheckpointException e = Assert.Throws<CheckpointException>(() =>
            history.Restore(1, mirror: null, FoldWay.Auto, CancellationToken.None)
        );

        Assert.Equal(CheckpointError.VersionUnknown, e.Error);
        Assert.Contains($"version 1 and older cannot be made: tensor \"{Damaged}\"", e.Message);
        Assert.True(scenario.FilesAreLive());
        Assert.Equal(4, history.Restore(2, mirror: null, FoldWay.Auto, CancellationToken.None).Version);
        Assert.Equal(second, scenario.OnDisk(Damaged));
    }

    private void AssertSyncsGoOn()
    {
        Assert.False(scenario.Sync().Changed);
        scenario.Live.Step(0.05, seed: 9);
        Assert.True(scenario.Sync().Changed);
        Assert.True(scenario.FilesAreLive());
    }

    private void Damage()
    {
        Shard shard = scenario.ShardOf(Damaged);
        TensorEntry tensor = shard.Header.Tensors.Single(entry => entry.Name == Damaged);
        using IDiskFile file = Disk.Instance.Open(shard.FilePath, writable: true);
        file.Write([1, 2, 3, 4, 5], tensor.FileOffset + 9);
    }
}
