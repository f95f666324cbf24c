using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>Any way of cutting is planned as published; the same with one piece too few or too many is refused.</summary>
public sealed class PartsPropertyTests
{
    [Fact]
    public void Any_exact_tiling_is_planned_as_published() =>
        Gen.Int.Sample(
            seed =>
            {
                Case made = RandomTiling.Make(new Random(seed));

                SyncPlan plan = Plan(made, made.Tensor.Regions);

                Assert.Empty(plan.Mismatches);
                Assert.Equal(Rectangles(made.Tensor), Rectangles(Assert.Single(plan.Tensors)));
            },
            iter: 500
        );

    [Fact]
    public void Any_tiling_without_one_piece_is_refused() =>
        Gen.Int.Sample(
            seed =>
            {
                Random random = new(seed);
                Case made = RandomTiling.Make(random);
                List<PlannedRegion> fewer = [.. made.Tensor.Regions];
                fewer.RemoveAt(random.Next(fewer.Count));

                // Without any part the tensor is unknown to the hook: missing, instead of not covered.
                Assert.Equal(fewer.Count == 0 ? "missing" : "uncovered", OnlyRefusal(Plan(made, fewer)));
            },
            iter: 500
        );

    [Fact]
    public void Any_tiling_with_one_piece_in_two_memories_is_refused() =>
        Gen.Int.Sample(
            seed =>
            {
                Random random = new(seed);
                Case made = RandomTiling.Make(random);

                PlannedRegion one = made.Tensor.Regions[random.Next(made.Tensor.Regions.Count)];

                SyncPlan plan = Plan(made, [.. made.Tensor.Regions, one with { Live = one.Live with { Name = "again" } }]);

                Assert.Equal("overlap", OnlyRefusal(plan));
            },
            iter: 500
        );

    [Fact]
    public void The_planner_and_the_conversion_agree_on_every_pair_of_types()
    {
        foreach (ElementType live in Enum.GetValues<ElementType>().Where(ElementTypes.IsDefined))
        {
            foreach (ElementType disk in Enum.GetValues<ElementType>().Where(ElementTypes.IsDefined))
            {
                Assert.Equal(ElementConversion.Supports(disk, live), ElementTypes.CanConvert(live, disk));
            }
        }
    }

    private static string OnlyRefusal(SyncPlan plan)
    {
        Assert.Empty(plan.Tensors);
        return Assert.Single(plan.Mismatches, mismatch => mismatch.Tensor == "disk").Kind;
    }

    private static IEnumerable<(string, Rectangle, Rectangle)> Rectangles(PlannedTensor tensor) =>
        tensor.Regions.Select(region => (region.Live.Name, region.LiveRectangle, region.FileRectangle));

    private static SyncPlan Plan(Case made, IReadOnlyList<PlannedRegion> regions)
    {
        ILookup<string, PlannedRegion> byLive = regions.ToLookup(region => region.Live.Name);
        List<LiveTensor> live =
        [
            .. made
                .Source.Tensors.Concat(regions.Select(region => region.Live))
                .DistinctBy(tensor => tensor.Name)
                .Select(tensor =>
                    tensor with
                    {
                        Parts =
                        [
                            .. byLive[tensor.Name]
                                .Select(region => new LivePart("disk", region.LiveRectangle, region.FileRectangle, "full")),
                        ],
                    }
                ),
        ];
        ModelLayout layout = new([made.Tensor.Shard]);
        return Planner.Plan(layout, config: null, live, new Dictionary<string, string>(), new PlanOptions());
    }
}
