using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Tool.Demo;

namespace ApolloCheckpoint.Tool.Tests.Demo;

public class TrainingStepTests
{
    [Theory]
    [InlineData(ElementType.BF16, 2)]
    [InlineData(ElementType.F16, 2)]
    [InlineData(ElementType.F32, 4)]
    public void Step_changes_about_the_asked_share_and_counts_it(ElementType type, int size)
    {
        byte[] before = new byte[400_000];
        new Random(1).NextBytes(before);
        byte[] after = [.. before];
        long changed = TrainingStep.Apply(after, type, 0.01, new Dice(7));
        int different = Enumerable
            .Range(0, before.Length / size)
            .Count(i => !before.AsSpan(i * size, size).SequenceEqual(after.AsSpan(i * size, size)));
        Assert.Equal(changed, different);
        Assert.InRange(changed, before.Length / size * 0.008, before.Length / size * 0.012);
    }

    [Fact]
    public void Integers_are_not_trained()
    {
        byte[] bytes = new byte[1000];
        Assert.Equal(0, TrainingStep.Apply(bytes, ElementType.I64, 1, new Dice(7)));
        Assert.Equal(new byte[1000], bytes);
    }
}
