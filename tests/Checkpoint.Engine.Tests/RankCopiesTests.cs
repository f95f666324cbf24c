using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests;

/// <summary>
/// Tensors that several ranks hold: what computes on all of them must be the same on all of them, or the version says that it was not;
/// what nothing computes with may be anything.
/// </summary>
public sealed class RankCopiesTests : IDisposable
{
    private static readonly TinyTensor Norm = new("norm", ElementType.BF16, 64);
    private static readonly TinyTensor Head = new("head", ElementType.BF16, 40, 8);

    private readonly SyncScenario scenario = new([Norm, Head], shards: 1);

    /// <summary>Norm whole on both ranks; the head in halves, its second half on ranks 1 and 2; an old norm that nothing computes with.</summary>
    public RankCopiesTests()
    {
        byte[] norm = scenario.Live["norm"];
        byte[] head = scenario.Live["head"];
        FakeWeightSource live = new();
        live.Add(Tensor("r0.norm", 0, [64], Part("norm", [0], [64])), [.. norm]);
        live.Add(Tensor("r1.norm", 1, [64], Part("norm", [0], [64]) with { IsReplica = true }), [.. norm]);
        live.Add(Tensor("r2.norm", 2, [64], Part("norm", [0], [64]) with { Unused = true }), new byte[128]);
        live.Add(Tensor("r0.head", 0, [20, 8], Part("head", [0, 0], [20, 8])), head[..320]);
        live.Add(Tensor("r1.head", 1, [20, 8], Part("head", [20, 0], [20, 8])), head[320..]);
        live.Add(Tensor("r2.head", 2, [20, 8], Part("head", [20, 0], [20, 8]) with { IsReplica = true }), head[320..]);
        scenario.Live = live;
    }

    [Fact]
    public void Copies_that_agree_are_no_news_and_unused_ones_are_never_read()
    {
        SyncReport report = scenario.Sync();

        Assert.Equal((false, ConsistencyKind.Stable), (report.Changed, report.Label.Kind));
        Assert.Empty(report.Warnings);
    }

    [Fact]
    public void A_change_on_all_copies_is_a_version_like_any_other()
    {
        scenario.Live["r0.norm"][5] ^= 1;
        scenario.Live["r1.norm"][5] ^= 1;

        SyncReport report = scenario.Sync();

        Assert.Equal((1L, ConsistencyKind.Stable), (report.ChangedElements, report.Label.Kind));
        Assert.Equal(scenario.Live["r1.norm"], scenario.OnDisk("norm"));
    }

    [Fact]
    public void Copies_that_differ_are_said_of_the_version_and_the_first_rank_is_taken()
    {
        scenario.Live["r1.norm"][5] ^= 1;
        scenario.Live["r1.head"][7] ^= 1;
        byte[] taken = scenario.Live["r1.head"];

        SyncReport report = scenario.Sync();

        Assert.Equal((ConsistencyKind.Mixed, "mixed: 2 tensors"), (report.Label.Kind, report.Label.ToString()));
        Assert.Equal(["head", "norm"], report.Label.MixedTensors);
        Assert.Equal(
            "several ranks compute with copies of 2 tensors that are not the same (head, norm): the first rank's were taken",
            Assert.Single(report.Warnings)
        );
        Assert.Equal(taken, scenario.OnDisk("head")[320..]);
    }

    [Fact]
    public void Strict_reading_refuses_copies_that_differ()
    {
        scenario.Live["r2.head"][7] ^= 1;

        CheckpointException refused = scenario.Refused(scenario.Request with { Consistency = ConsistencyMode.Strict });

        Assert.Equal(CheckpointError.SourceInconsistent, refused.Error);
        Assert.Contains(("differs", "head"), refused.Details);
    }

    [Fact]
    public void A_replica_of_what_no_rank_holds_is_refused()
    {
        scenario.Live.Add(Tensor("r3.head", 3, [10, 8], Part("head", [0, 0], [10, 8]) with { IsReplica = true }), new byte[160]);

        CheckpointException refused = scenario.Refused();

        Assert.Equal(CheckpointError.PlanMismatch, refused.Error);
        Assert.Contains(refused.Details, detail => detail.ToString().Contains("which no other rank holds", StringComparison.Ordinal));
    }

    /// <inheritdoc/>
    public void Dispose() => scenario.Dispose();

    private static LiveTensor Tensor(string name, int rank, long[] shape, LivePart part) =>
        new(name, ElementType.BF16, shape, rank) { Parts = [part] };

    private static LivePart Part(string disk, long[] start, long[] length) =>
        new(disk, Rectangle.Whole(length), new Rectangle(start, length), "full");
}
