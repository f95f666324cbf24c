using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;
using static ApolloCheckpoint.Engine.Tests.Planning.SmallPlan;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>Live tensors that lie flat, in one dimension, as torch.from_file gives them.</summary>
public sealed class FlatTensorTests
{
    [Fact]
    public void Flat_live_tensor_of_the_same_name_and_size_is_the_tensor_on_disk()
    {
        LiveTensor live = Tensor("a.weight", 12);
        SyncPlan plan = Plan(new ModelBuilder().Add("a.weight", 3, 4), live);
        PlannedTensor tensor = Assert.Single(plan.Tensors);
        Assert.Empty(plan.Mismatches);
        Assert.Equal(("same name", "names 1:1"), (tensor.Rule, plan.Family));

        FakeWeightSource source = new();
        source.Add(live, [.. Enumerable.Range(0, 24).Select(i => (byte)i)]);
        byte[] destination = new byte[10];
        new RegionCopier(tensor).Fill(source, firstUnit: 3, destination, scratch: []);
        Assert.Equal([.. Enumerable.Range(6, 10).Select(i => (byte)i)], destination);
    }

    [Fact]
    public void Flat_live_tensor_of_another_size_is_refused() =>
        AssertRefused(
            Plan(new ModelBuilder().Add("a.weight", 3, 4), Tensor("a.weight", 13)),
            "shape",
            "a.weight",
            "[3, 4] on disk, [13] in a.weight"
        );

    [Fact]
    public void Live_tensor_of_other_dimensions_is_refused_though_it_has_as_many_elements() =>
        AssertRefused(
            Plan(new ModelBuilder().Add("a.weight", 3, 4), Tensor("a.weight", 4, 3)),
            "shape",
            "a.weight",
            "[3, 4] on disk, [4, 3] in a.weight"
        );
}
