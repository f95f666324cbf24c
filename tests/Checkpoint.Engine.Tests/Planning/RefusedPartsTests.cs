using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using Xunit;
using static ApolloCheckpoint.Engine.Tests.Planning.SmallPlan;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>Parts that do not fit are refused by name, all of them at once, and nothing of them is planned.</summary>
public sealed class RefusedPartsTests
{
    [Fact]
    public void Overlapping_parts_are_refused()
    {
        LiveTensor live = Live("m", [6, 2], Part("w", Rows(0, 3), Rows(0, 3)), Part("w", Rows(3, 3), Rows(2, 3)));

        SyncPlan plan = Plan(new ModelBuilder().Add("w", 6, 2), live);

        AssertRefused(
            plan,
            "overlap",
            "w",
            "[0:3, 0:2] and [2:5, 0:2] of it are both claimed by live tensors; each element must come from one"
        );
    }

    [Fact]
    public void A_hole_between_parts_is_refused()
    {
        LiveTensor live = Live("m", [6, 2], Part("w", Rows(0, 3), Rows(0, 3)), Part("w", Rows(3, 2), Rows(4, 2)));

        SyncPlan plan = Plan(new ModelBuilder().Add("w", 6, 2), live);

        AssertRefused(plan, "uncovered", "w", "live tensors hold 10 of its 12 elements, shape [6, 2]");
    }

    [Fact]
    public void A_part_outside_either_tensor_is_refused()
    {
        SyncPlan outsideLive = Plan(new ModelBuilder().Add("w", 6, 2), Live("m", [5, 2], Part("w", Rows(0, 6), Rows(0, 6))));
        SyncPlan outsideFile = Plan(new ModelBuilder().Add("w", 6, 2), Live("m", [9, 2], Part("w", Rows(2, 6), Rows(2, 6))));
        SyncPlan otherRank = Plan(new ModelBuilder().Add("w", 12), Live("m", [6, 2], Part("w", Rows(0, 6), Rows(0, 6))));

        AssertRefused(outsideLive, "shape", "w", "[0:6, 0:2] of m [5, 2] goes to [0:6, 0:2] of [6, 2]: outside");
        AssertRefused(outsideFile, "shape", "w", "[2:8, 0:2] of m [9, 2] goes to [2:8, 0:2] of [6, 2]: outside");
        AssertRefused(otherRank, "shape", "w", "[0:6, 0:2] of m [6, 2] goes to [0:6, 0:2] of [12]: outside");
    }

    [Fact]
    public void A_transposed_part_is_refused()
    {
        SyncPlan plan = Plan(new ModelBuilder().Add("w", 6, 2), Live("m", [2, 6], Part("w", Whole(2, 6), Whole(6, 2))));

        AssertRefused(plan, "shape", "w", "[0:2, 0:6] of m and [0:6, 0:2] on disk are not the same elements in the same order");
    }

    [Fact]
    public void Only_replicas_and_unused_copies_are_nothing_to_read()
    {
        LiveTensor live = Live(
            "m",
            [4],
            Part("w", Whole(4), Whole(4)) with
            {
                Unused = true,
            },
            Part("w", Whole(4), Whole(4)) with
            {
                IsReplica = true,
            }
        );

        SyncPlan plan = Plan(new ModelBuilder().Add("w", 4), live);

        AssertRefused(plan, "uncovered", "w", "the handles name 2 copies of it, but none that may be read (all unused, replica or empty)");
    }

    [Fact]
    public void Parts_of_another_model_are_refused()
    {
        SyncPlan plan = Plan(
            new ModelBuilder().Add("w", 4),
            Live("m", [4], Part("w", Whole(4), Whole(4))),
            Live("n", [4], Part("v", Whole(4), Whole(4)))
        );

        Assert.Equal([new PlanMismatch("surplus", "n", "the handles say that it (whole) is v, which is not on disk")], plan.Mismatches);
        Assert.Single(plan.Tensors);
    }

    [Fact]
    public void Pieces_of_different_types_are_refused()
    {
        LiveTensor first = Live("m", [2], Part("w", Whole(2), new Rectangle([0], [2])));
        LiveTensor second = Live("n", [2], Part("w", Whole(2), new Rectangle([2], [2]))) with { };
        LiveTensor single = new("n", ElementType.F32, [2]) { Parts = second.Parts };

        SyncPlan plan = Plan(new ModelBuilder().Add("w", 4), first, single);

        AssertRefused(plan, "dtype", "w", "comes from m as BF16 and from n as F32; one type was expected");
    }

    [Fact]
    public void Packed_elements_move_only_whole()
    {
        LiveTensor live = new("m", ElementType.F4, [8]) { Parts = [Part("w", new Rectangle([0], [4]), Whole(4))] };
        ModelBuilder model = new ModelBuilder().Add("w", ElementType.F4, [4]);

        Assert.Equal("unsupported", Plan(model, live).Mismatches.Single().Kind);
        Assert.Empty(Plan(model, new LiveTensor("w", ElementType.F4, [4])).Mismatches);
    }
}
