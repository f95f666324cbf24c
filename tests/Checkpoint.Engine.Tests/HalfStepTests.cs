using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Consistency;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests;

/// <summary>A trainer that died inside a step left weights of two steps in memory; that is no version.</summary>
public sealed class HalfStepTests : IDisposable
{
    private readonly SyncScenario scenario = new();
    private readonly StatePageWriter page;

    public HalfStepTests()
    {
        string path = scenario.File("state.bin");
        page = StatePageWriter.Create(path, 41, TimeProvider.System);
        scenario.Live.StatePagePath = path;
        scenario.Request = scenario.Request with { MaxStall = TimeSpan.FromMilliseconds(200) };
    }

    [Fact]
    public void Weights_that_a_trainer_left_inside_a_step_are_refused_and_the_files_stay()
    {
        DieInsideAStep();

        CheckpointException refused = scenario.Refused();

        Assert.Equal(CheckpointError.SourceInconsistent, refused.Error);
        Assert.Equal("the trainer (pid 4242) died inside step 42: part of the weights are a step behind the others", refused.Message);
        Assert.False(scenario.FilesAreLive());
    }

    [Fact]
    public void They_are_taken_by_whoever_asks_for_them_as_they_are()
    {
        DieInsideAStep();

        Assert.Equal(ConsistencyKind.Unverified, scenario.Sync(scenario.Request with { Consistency = ConsistencyMode.None }).Label.Kind);
        Assert.True(scenario.FilesAreLive());
    }

    [Fact]
    public void The_next_step_of_a_trainer_makes_them_whole()
    {
        DieInsideAStep();
        page.Begin(CancellationToken.None).Dispose();

        Assert.True(scenario.Sync().Changed);
    }

    [Fact]
    public void A_trainer_that_dies_while_it_is_read_is_noticed_too()
    {
        page.Begin(CancellationToken.None).Dispose();
        scenario.Live.AtRead(3, DieInsideAStep);

        Assert.Equal(CheckpointError.SourceInconsistent, scenario.Refused().Error);
    }

    [Fact]
    public void A_trainer_that_lives_and_never_leaves_its_step_is_not_called_dead()
    {
        using IDisposable inside = page.Begin(CancellationToken.None);
        scenario.Live.Step(0.05, seed: 3);

        Assert.Equal(ConsistencyKind.Mixed, scenario.Sync().Label.Kind);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        page.Dispose();
        scenario.Dispose();
    }

    /// <summary>Some weights written, the sequence odd, and the lock let go: a killed process.</summary>
    private void DieInsideAStep()
    {
        scenario.Live.Step(0.05, seed: 7);
        using IDiskFile file = Disk.Instance.Open(scenario.File("state.bin"), writable: true);
        Span<byte> bytes = stackalloc byte[StatePageFormat.Size];
        StatePageFormat.Write(bytes, new StateSnapshot(3, 41, 1, 4242));
        file.Write(bytes, 0);
    }
}
