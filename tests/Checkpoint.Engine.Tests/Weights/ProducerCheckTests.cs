using System.Diagnostics;
using ApolloCheckpoint.Engine.Weights;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights;

public sealed class ProducerCheckTests
{
    private static ProducerInfo Self => Of(Environment.ProcessId, ProducerCheck.StartTicks(Environment.ProcessId));

    [Fact]
    public void A_living_producer_and_an_unnamed_one_are_taken()
    {
        Assert.NotNull(Self.StartTicks);
        Assert.NotNull(Self.BootId);
        Assert.Equal((null, null), (ProducerCheck.WhyGone(Self), ProducerCheck.WhyGone(ProducerInfo.Unknown)));
    }

    [Fact]
    public void A_dead_producer_is_said_with_what_to_do()
    {
        int pid = Dead();
        CheckpointException failure = Assert.Throws<CheckpointException>(() => ProducerCheck.EnsureAlive(Of(pid, null)));
        Assert.Equal(
            (CheckpointError.ProducerGone, 11, $"the handles were written by process {pid}, which is gone"),
            (failure.Error, failure.ExitCode, failure.Message)
        );
        Assert.Equal("restart vLLM with --load-format apollo; it publishes new handles when it has loaded", failure.Next);
    }

    [Fact]
    public void A_process_of_the_same_number_is_not_the_producer() =>
        Assert.Equal("which is gone; its number is another process now", ProducerCheck.WhyGone(Self with { StartTicks = 1 }));

    [Fact]
    public void A_producer_of_another_boot_is_gone() =>
        Assert.Equal("before this machine was started again", ProducerCheck.WhyGone(Self with { BootId = "another" }));

    [Fact]
    public void A_number_of_another_pid_namespace_is_not_looked_up()
    {
        long here = ProducerCheck.CurrentPidNamespace() ?? 0;
        Assert.NotEqual(0, here);
        ProducerInfo gone = Of(Dead(), null);
        Assert.Null(ProducerCheck.WhyGone(gone with { PidNamespace = here + 1 }));
        Assert.Equal("which is gone", ProducerCheck.WhyGone(gone with { PidNamespace = here }));
    }

    private static ProducerInfo Of(int pid, long? start) => new("vllm", pid, start, ProducerCheck.CurrentBootId(), null, null);

    private static int Dead()
    {
        using Process process = Process.Start("true");
        process.WaitForExit();
        return process.Id;
    }
}
