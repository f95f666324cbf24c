using ApolloCheckpoint.Engine.Journaling;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

public class ChunkWorkersTests
{
    private static readonly int[] Ordinals = [.. Enumerable.Range(0, 500).Select(place => 3 * place + 1)];

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void What_goes_in_order_goes_in_order_whoever_is_done_first(int workers)
    {
        List<int> seen = [];
        ChunkWorkers.RunInOrder(
            Ordinals,
            workers,
            () => new int[1],
            (ordinal, state) =>
            {
                Thread.SpinWait(ordinal % 7 * 1000);
                state[0] = ordinal;
            },
            (ordinal, state) =>
            {
                Assert.Equal(ordinal, state[0]);
                seen.Add(ordinal);
            },
            CancellationToken.None
        );
        Assert.Equal(Ordinals, seen);
    }

    [Theory]
    [InlineData("work")]
    [InlineData("order")]
    public void A_failure_reaches_the_caller_and_nobody_waits_for_its_turn_for_ever(string where)
    {
        List<int> seen = [];
        int failing = Ordinals[100];
        void Fail(int ordinal, string here)
        {
            if (ordinal == failing && here == where)
            {
                throw new InvalidDataException("as told");
            }
        }

        Assert.Throws<InvalidDataException>(() =>
            ChunkWorkers.RunInOrder(
                Ordinals,
                8,
                () => 0,
                (ordinal, _) => Fail(ordinal, "work"),
                (ordinal, _) =>
                {
                    Fail(ordinal, "order");
                    seen.Add(ordinal);
                },
                CancellationToken.None
            )
        );
        Assert.Equal(Ordinals[..100], seen);
    }

    [Fact]
    public void A_cancelled_run_ends_between_two_chunks()
    {
        using CancellationTokenSource source = new();
        List<int> seen = [];
        Assert.Throws<OperationCanceledException>(() =>
            ChunkWorkers.RunInOrder(
                Ordinals,
                8,
                () => 0,
                (_, _) => { },
                (ordinal, _) =>
                {
                    seen.Add(ordinal);
                    if (seen.Count == 50)
                    {
                        source.Cancel();
                    }
                },
                source.Token
            )
        );
        Assert.Equal(Ordinals[..seen.Count], seen);
        Assert.InRange(seen.Count, 50, 60);
    }
}
