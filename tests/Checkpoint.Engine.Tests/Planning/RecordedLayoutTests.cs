using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>
/// The planner against what running vLLM really held: the rectangles of tests/fixtures were found by comparing bytes, without any
/// naming rule.
/// </summary>
public sealed class RecordedLayoutTests
{
    private static readonly Dictionary<string, string> NothingDeclared = [];

    private static readonly string[] Dense = ["gemma3-text.", "llama-", "par-llama-", "qwen2-bias.", "qwen3."];

    public static TheoryData<string> Single => RecordedLayout.Names("layouts");

    public static TheoryData<string> Parallel => RecordedLayout.Names("layouts-parallel");

    [Theory]
    [MemberData(nameof(Single))]
    public void Rules_find_every_rectangle_that_the_bytes_showed(string name)
    {
        RecordedLayout recorded = new("layouts", name);

        SyncPlan plan = Planner.Plan(recorded.Disk, recorded.Config, recorded.Live, NothingDeclared, new PlanOptions(TrustMapping: true));

        AssertAsRecorded(recorded, plan);
    }

    [Theory]
    [MemberData(nameof(Single))]
    public void Rules_find_them_without_knowing_which_names_share_memory(string name)
    {
        RecordedLayout recorded = new("layouts", name);
        List<LiveTensor> live = [.. recorded.Live.Select(tensor => tensor with { StorageKey = null })];

        SyncPlan plan = Planner.Plan(recorded.Disk, recorded.Config, live, NothingDeclared, new PlanOptions(TrustMapping: true));

        AssertAsRecorded(recorded, plan);
    }

    [Theory]
    [MemberData(nameof(Single))]
    public void Parts_give_the_recorded_rectangles(string name)
    {
        RecordedLayout recorded = new("layouts", name);

        SyncPlan plan = Planner.Plan(recorded.Disk, recorded.Config, recorded.LiveWithParts(), recorded.NotLive, new PlanOptions());

        AssertAsRecorded(recorded, plan);
        Assert.Equal("handles v2", plan.Family);
    }

    [Theory]
    [MemberData(nameof(Parallel))]
    public void Parts_of_several_ranks_give_the_recorded_rectangles(string name)
    {
        RecordedLayout recorded = new("layouts-parallel", name);

        SyncPlan plan = Planner.Plan(recorded.Disk, config: null, recorded.LiveWithParts(), recorded.NotLive, new PlanOptions());

        AssertAsRecorded(recorded, plan);
        Assert.Equal("handles v2", plan.Family);
    }

    /// <summary>Families whose cuts over ranks the rules know.</summary>
    public static TheoryData<string> DenseParallel
    {
        get
        {
            TheoryData<string> names = [];
            foreach (string path in Directory.GetFiles(Fixtures.ParallelLayouts, "*.json").Order())
            {
                string name = Path.GetFileNameWithoutExtension(path);
                if (Array.Exists(Dense, name.StartsWith))
                {
                    names.Add(name);
                }
            }

            return names;
        }
    }

    [Theory]
    [MemberData(nameof(DenseParallel))]
    public void Rules_find_the_recorded_rectangles_of_several_ranks(string name)
    {
        RecordedLayout recorded = new("layouts-parallel", name);

        SyncPlan plan = Planner.Plan(recorded.Disk, recorded.Config, recorded.Live, NothingDeclared, new PlanOptions());

        AssertAsRecorded(recorded, plan);
    }

    [Theory]
    [MemberData(nameof(Parallel))]
    public void Rules_place_no_piece_of_several_ranks_elsewhere_than_recorded(string name)
    {
        RecordedLayout recorded = new("layouts-parallel", name);

        SyncPlan plan = Planner.Plan(recorded.Disk, recorded.Config, recorded.Live, NothingDeclared, new PlanOptions(TrustMapping: true));

        Assert.All(
            plan.Tensors.SelectMany(tensor => tensor.Regions.Select(region => (tensor.Entry.Name, region))),
            row => Assert.Single(recorded.Pieces, piece => piece.DiskName == row.Name && IsThat(piece, row.region))
        );
        Assert.Equal(Array.Exists(Dense, name.StartsWith), plan.Mismatches.Count == 0);
    }

    [Theory]
    [MemberData(nameof(Single))]
    public void Parts_that_nobody_proved_are_refused_each_by_name(string name)
    {
        RecordedLayout recorded = new("layouts", name);

        SyncPlan plan = Planner.Plan(recorded.Disk, recorded.Config, recorded.LiveWithParts("none"), recorded.NotLive, new PlanOptions());

        Assert.Equal(recorded.Pieces.Select(piece => piece.DiskName).Order(), plan.Mismatches.Select(row => row.Tensor).Order());
        Assert.All(plan.Mismatches, mismatch => Assert.Equal("unproven", mismatch.Kind));
        Assert.Empty(plan.Tensors);
    }

    [Theory]
    [InlineData("qwen3-moe")]
    [InlineData("qwen3-next")]
    public void Experts_placed_by_rule_are_refused_unless_the_mapping_is_trusted(string name)
    {
        RecordedLayout recorded = new("layouts", name);

        SyncPlan plan = Planner.Plan(recorded.Disk, recorded.Config, recorded.Live, NothingDeclared, new PlanOptions());

        string[] experts = [.. recorded.Pieces.Select(piece => piece.DiskName).Where(disk => disk.Contains(".experts."))];
        Assert.NotEmpty(experts);
        Assert.Equal(experts.Order(), plan.Mismatches.Select(row => row.Tensor).Order());
        Assert.All(plan.Mismatches, mismatch => Assert.Equal("unproven", mismatch.Kind));
    }

    private static void AssertAsRecorded(RecordedLayout recorded, SyncPlan plan)
    {
        Assert.Empty(plan.Mismatches);
        Assert.Equal(recorded.NotLive.Keys.Order(), plan.NotLive.Select(row => row.Entry.Name).Order());
        Dictionary<string, List<RecordedPiece>> expected = recorded
            .Pieces.Where(piece => !piece.Replica && !piece.Unused)
            .GroupBy(piece => piece.DiskName)
            .ToDictionary(group => group.Key, group => group.ToList());
        Assert.Equal(expected.Keys.Order(), plan.Tensors.Select(tensor => tensor.Entry.Name).Order());
        foreach (PlannedTensor tensor in plan.Tensors)
        {
            List<RecordedPiece> pieces = expected[tensor.Entry.Name];
            Assert.Equal(pieces.Count, tensor.Regions.Count);
            foreach (PlannedRegion region in tensor.Regions)
            {
                Assert.Single(pieces, piece => IsThat(piece, region));
            }
        }

        IEnumerable<string> inFileOrder = recorded.Disk.Shards.SelectMany(shard => shard.Header.Tensors).Select(entry => entry.Name);
        Assert.Equal(inFileOrder.Where(expected.ContainsKey), plan.Tensors.Select(tensor => tensor.Entry.Name));
    }

    private static bool IsThat(RecordedPiece piece, PlannedRegion region) =>
        piece.Rank == region.Live.Rank
        && (piece.Live == region.Live.Name || piece.Aliases.Contains(region.Live.Name))
        && piece.LiveRectangle.Equals(region.LiveRectangle)
        && piece.FileRectangle.Equals(region.FileRectangle);
}
