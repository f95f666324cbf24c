using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using CsCheck;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Planning;

public sealed class RegionCopierTests
{
    [Fact]
    public void Any_stretch_of_any_tiling_holds_the_bytes_that_a_gather_element_by_element_finds()
    {
        Gen.Int.Sample(
            seed =>
            {
                Random random = new(seed);
                Case made = RandomTiling.Make(random);
                RegionCopier copier = new(made.Tensor);
                byte[] scratch = new byte[random.Next(4) * random.Next(40)];
                for (int i = 0; i < 8; i++)
                {
                    long first = random.NextInt64(made.Tensor.Entry.Units + 1);
                    long count = random.NextInt64(made.Tensor.Entry.Units - first + 1);
                    byte[] destination = new byte[count * copier.UnitBytes];
                    Array.Fill(destination, (byte)0xEE);

                    copier.Fill(made.Source, first, destination, scratch);

                    Assert.Equal(made.Expected.AsSpan((int)first * copier.UnitBytes, destination.Length).ToArray(), destination);
                }
            },
            iter: 2000
        );
    }

    [Fact]
    public void Rows_of_a_merged_tensor_are_one_read()
    {
        FakeWeightSource source = new();
        LiveTensor live = new("qkv_proj", ElementType.BF16, [8, 4]);
        source.Add(live, [.. Enumerable.Range(0, 64).Select(i => (byte)i)]);
        TensorEntry entry = new("k_proj", ElementType.BF16, [3, 4], 0, 24);
        RegionCopier copier = new(Planned(entry, new PlannedRegion(live, Rectangle.Rows(live.Shape, 4, 3), Rectangle.Whole(entry.Shape))));
        byte[] destination = new byte[10];

        copier.Fill(source, firstUnit: 2, destination, scratch: []);

        Assert.Equal([.. Enumerable.Range(36, 10).Select(i => (byte)i)], destination);
        Assert.Equal(1, source.Reads);
    }

    [Fact]
    public void Columns_of_a_rank_are_read_together_as_far_as_scratch_reaches()
    {
        FakeWeightSource source = new();
        LiveTensor live = new("o_proj", ElementType.U8, [6, 2]);
        source.Add(live, [.. Enumerable.Range(0, 12).Select(i => (byte)i)]);
        TensorEntry entry = new("o_proj", ElementType.U8, [6, 4], 0, 24);
        LiveTensor other = new("other", ElementType.U8, [6, 2], Rank: 1);
        source.Add(other, new byte[12]);
        RegionCopier copier = new(
            Planned(
                entry,
                new PlannedRegion(live, Rectangle.Whole(live.Shape), new Rectangle([0, 0], [6, 2])),
                new PlannedRegion(other, Rectangle.Whole(other.Shape), new Rectangle([0, 2], [6, 2]))
            )
        );
        byte[] destination = new byte[24];

        copier.Fill(source, firstUnit: 0, destination, scratch: new byte[7]);

        Assert.Equal([0, 1, 0, 0, 2, 3, 0, 0, 4, 5, 0, 0, 6, 7, 0, 0, 8, 9, 0, 0, 10, 11, 0, 0], destination);
        Assert.Equal(4, source.Reads);
    }

    [Fact]
    public void A_stretch_outside_the_tensor_is_our_own_defect()
    {
        LiveTensor live = new("x", ElementType.BF16, [4]);
        TensorEntry entry = new("x", ElementType.BF16, [4], 0, 8);
        RegionCopier copier = new(Planned(entry, new PlannedRegion(live, Rectangle.Whole([4]), Rectangle.Whole([4]))));
        using FakeWeightSource source = new();

        Assert.Throws<ArgumentOutOfRangeException>(() => copier.Fill(source, 3, new byte[4], []));
        Assert.Throws<ArgumentOutOfRangeException>(() => copier.Fill(source, -1, new byte[4], []));
        Assert.Throws<ArgumentOutOfRangeException>(() => copier.Fill(source, 0, new byte[3], []));
    }

    [Fact]
    public void A_stretch_costs_no_allocation()
    {
        Case made = RandomTiling.Make(new Random(7));
        RegionCopier copier = new(made.Tensor);
        byte[] destination = new byte[made.Tensor.Entry.Units * copier.UnitBytes];
        byte[] scratch = new byte[64];
        copier.Fill(made.Source, 0, destination, scratch);
        long before = GC.GetAllocatedBytesForCurrentThread();

        copier.Fill(made.Source, 0, destination, scratch);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static PlannedTensor Planned(TensorEntry entry, params PlannedRegion[] regions) =>
        new(new ModelBuilder().Add("x", 1).Build().Shards[0], entry, regions, regions[0].Live.Type, "test");
}
