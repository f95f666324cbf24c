using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Handles;

/// <summary>A version 1 file names its producer only in passing, in the name of torch's counter; that is enough to miss it when it is gone.</summary>
public sealed class TorchProducerTests
{
    [Fact]
    public void The_process_that_made_the_handles_is_read_off_torchs_counter()
    {
        string path = TorchFixtures.PathOf("good", "cuda_v3c.pt");
        using IDiskFile file = Disk.Instance.Open(path);

        ProducerInfo producer = Assert.Single(HandlesFile.Parse(file, CancellationToken.None).Producers);

        Assert.Equal((4242, (DateTimeOffset)File.GetLastWriteTimeUtc(path)), (producer.Pid, producer.WrittenAt));
    }

    [Fact]
    public void A_state_dict_has_no_producer_that_could_be_gone()
    {
        using IDiskFile file = Disk.Instance.Open(TorchFixtures.PathOf("good", "state_bf16.pt"));

        Assert.Null(Assert.Single(HandlesFile.Parse(file, CancellationToken.None).Producers).Pid);
    }

    [Fact]
    public void A_process_that_began_before_the_handles_were_written_may_be_their_producer()
    {
        Assert.Null(ProducerCheck.WhyGone(Written(DateTimeOffset.UtcNow)));
    }

    [Fact]
    public void One_that_began_later_is_another_process_under_its_number()
    {
        Assert.Equal(
            "which is gone; its number is a process now that began later",
            ProducerCheck.WhyGone(Written(DateTimeOffset.UnixEpoch))
        );
    }

    [Fact]
    public void A_number_that_is_no_process_is_gone()
    {
        Assert.Equal("which is gone", ProducerCheck.WhyGone(Written(DateTimeOffset.UtcNow) with { Pid = (1 << 22) + 1 }));
    }

    private static ProducerInfo Written(DateTimeOffset time) => ProducerInfo.Unknown with { Pid = Environment.ProcessId, WrittenAt = time };
}
