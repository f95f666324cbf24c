using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Consistency;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests;

/// <summary>What a version is said to be when its trainer publishes a state page (DESIGN, consistency of the source).</summary>
public sealed class SyncConsistencyTests : IDisposable
{
    private const string Tensor = "model.embed_tokens.weight";
    private readonly SyncScenario scenario = new();
    private readonly StatePageWriter page;

    public SyncConsistencyTests()
    {
        string path = scenario.File("state.bin");
        page = StatePageWriter.Create(path, 7, TimeProvider.System);
        scenario.Live.StatePagePath = path;
        scenario.Request = scenario.Request with { Workers = 1, MaxStall = TimeSpan.FromMilliseconds(20) };
    }

    public void Dispose()
    {
        page.Dispose();
        scenario.Dispose();
    }

    [Fact]
    public void A_page_that_stands_still_gives_the_step()
    {
        Step();
        Assert.Equal("step 8", scenario.Sync().Label.ToString());
    }

    [Fact]
    public void Half_of_a_step_that_holds_still_is_not_called_stable()
    {
        Step();
        scenario.Sync();
        using IDisposable inside = page.Begin(CancellationToken.None);
        scenario.Live[Tensor][0] ^= 1;

        SyncReport report = scenario.Sync();

        Assert.Equal("mixed: 0 tensors", report.Label.ToString());
        Assert.Contains(
            report.Warnings,
            warning => warning.StartsWith("the trainer was inside a step in every pass", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Half_of_a_step_that_holds_still_is_refused_when_strict()
    {
        Step();
        scenario.Sync();
        using IDisposable inside = page.Begin(CancellationToken.None);
        scenario.Live[Tensor][0] ^= 1;

        CheckpointException e = scenario.Refused(scenario.Request with { Consistency = ConsistencyMode.Strict });

        Assert.Equal(17, e.ExitCode);
        Assert.StartsWith("the trainer was inside a step while its weights were read", e.Message);
    }

    [Fact]
    public void A_step_that_ends_in_time_is_waited_for()
    {
        Step();
        scenario.Sync();
        IDisposable inside = page.Begin(CancellationToken.None);
        scenario.Live[Tensor][0] ^= 1;
        // The trainer leaves its step while the first pass is at its second tensor.
        scenario.Live.AtRead(2, inside.Dispose);
        Assert.Equal("step 9", scenario.Sync().Label.ToString());
    }

    [Fact]
    public void A_page_that_its_writer_never_touches_says_nothing()
    {
        scenario.Live[Tensor][0] ^= 1;
        SyncReport report = scenario.Sync();
        Assert.Equal("stable", report.Label.ToString());
        Assert.Contains(report.Warnings, warning => warning.StartsWith("the state page was never written", StringComparison.Ordinal));
    }

    [Fact]
    public void A_page_whose_trainer_is_gone_says_nothing_either()
    {
        Step();
        using (IDiskFile file = Disk.Instance.Open(scenario.Live.StatePagePath!, writable: true))
        {
            Span<byte> bytes = stackalloc byte[StatePageFormat.Size];
            StatePageFormat.Write(bytes, new StateSnapshot(2, 9, 1, int.MaxValue));
            file.Write(bytes, 0);
        }

        SyncReport report = scenario.Sync();
        Assert.Equal("stable", report.Label.ToString());
        Assert.Contains(report.Warnings, warning => warning.EndsWith("is gone, so the weights were read twice", StringComparison.Ordinal));
    }

    [Fact]
    public void A_producer_without_a_page_cannot_be_held()
    {
        scenario.Live.StatePagePath = null;
        CheckpointException e = scenario.Refused(scenario.Request with { Consistency = ConsistencyMode.Lock });
        Assert.Equal(CheckpointError.SourceInconsistent, e.Error);
        Assert.Contains("publishes no state page", e.Message);
    }

    private void Step()
    {
        using IDisposable inside = page.Begin(CancellationToken.None);
        scenario.Live.Step(0.05, seed: (int)page.Step);
    }
}
