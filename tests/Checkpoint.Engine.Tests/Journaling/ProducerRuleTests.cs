using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>A producer older than the journal would undo what was synced since.</summary>
public sealed class ProducerRuleTests : IDisposable
{
    private static readonly ProducerInfo First = new("vllm", 100, 5000, "boot", LoadedRoot: null, ModelPath: null);
    private readonly TempDirectory temp = TempDirectory.InMemory();
    private readonly JournaledModel model;
    private readonly JournalSession session;

    public ProducerRuleTests()
    {
        model = JournaledModel.Create(Disk.Instance, temp.File("model"));
        session = model.OpenSession();
    }

    public void Dispose()
    {
        session.Dispose();
        temp.Dispose();
    }

    [Fact]
    public void Any_producer_is_taken_for_the_first_version() => Assert.Null(ProducerRule.Check(session, First, accept: false));

    [Fact]
    public void The_producer_of_the_newest_version_is_taken()
    {
        Commit(First);

        Assert.Null(ProducerRule.Check(session, First with { LoadedRoot = "0" }, accept: false));
    }

    [Fact]
    public void A_producer_that_loaded_the_newest_version_is_taken()
    {
        Commit(First);

        Assert.Null(ProducerRule.Check(session, First with { Pid = 101, LoadedRoot = session.Root.ToString() }, accept: false));
    }

    [Theory]
    [InlineData(101, 5000L, "boot")]
    [InlineData(100, 5001L, "boot")]
    [InlineData(100, 5000L, "another boot")]
    public void A_producer_that_loaded_something_else_is_refused_until_it_is_accepted(int pid, long start, string boot)
    {
        Commit(First);
        ProducerInfo other = new("vllm", pid, start, boot, new string('a', 32), null);

        CheckpointException e = Assert.Throws<CheckpointException>(() => ProducerRule.Check(session, other, accept: false));

        Assert.Equal((CheckpointError.ProducerStale, 11), (e.Error, e.ExitCode));
        Assert.Contains("--accept-producer", e.Next);
        Assert.Null(ProducerRule.Check(session, other, accept: true));
    }

    [Fact]
    public void A_producer_that_says_no_root_is_taken_and_its_origin_called_unknown()
    {
        Commit(First);

        Assert.Contains("origin is unknown", ProducerRule.Check(session, ProducerInfo.Unknown, accept: false));
    }

    [Fact]
    public void After_a_restore_in_place_nobody_is_taken_who_did_not_load_it()
    {
        Commit(First);
        Commit(producer: null);

        Assert.Throws<CheckpointException>(() => ProducerRule.Check(session, First, accept: false));
        Assert.Throws<CheckpointException>(() => ProducerRule.Check(session, ProducerInfo.Unknown, accept: false));
        Assert.Null(ProducerRule.Check(session, First with { LoadedRoot = session.Root.ToString() }, accept: false));
    }

    [Fact]
    public void The_producer_is_remembered_over_openings()
    {
        Commit(First);
        session.SaveState();

        ModelState state = ModelState.TryRead(Disk.Instance, model.Paths.State)!;
        Assert.Equal(ProducerRule.Record(First), state.Producer);
        Assert.Equal((session.Newest, session.Root.ToString(), false), (state.Newest, state.Root, state.Restored));
    }

    private void Commit(ProducerInfo? producer)
    {
        byte[][] live = model.BaselineChunks(session);
        live[0][7] ^= 1;
        using DeltaWriter writer = JournaledModel.Scan(session, live);
        VersionFacts facts = new() { Label = new ConsistencyLabel(ConsistencyKind.Stable) };
        session.Commit(writer, producer is null ? facts : facts with { Producer = ProducerRule.Record(producer) });
    }
}
