using ApolloCheckpoint.Engine.Journaling.Baselines;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

public sealed class CheaperWayTests
{
    [Theory]
    [InlineData(10, 100)]
    [InlineData(100, 10)]
    public void Both_ways_are_tried_and_the_cheaper_goes_on(int mapping, int copy)
    {
        List<bool> taken = Go(new CheaperWay(), 300, _ => (mapping, copy));

        Assert.Equal([true, false], taken.Take(2));
        Assert.InRange(taken.Count(isMapping => isMapping == mapping < copy), 290, 299);
    }

    [Fact]
    public void A_way_that_becomes_cheaper_is_found_again()
    {
        List<bool> taken = Go(new CheaperWay(), 2000, chunk => chunk < 500 ? (10, 30) : (90, 30));

        Assert.All(taken.Skip(64).Take(60), Assert.True);
        Assert.InRange(taken.Skip(1500).Count(isMapping => isMapping), 0, 10);
    }

    private static List<bool> Go(CheaperWay way, int chunks, Func<int, (int Mapping, int Copy)> cost)
    {
        List<bool> taken = [];
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            bool isMapping = way.IsMapping();
            taken.Add(isMapping);
            way.Measured(isMapping, isMapping ? cost(chunk).Mapping : cost(chunk).Copy, 1);
        }

        return taken;
    }
}
