using ApolloCheckpoint.Engine.Weights.Cuda;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Cuda;

/// <summary>Whichever call of the driver fails: it is said, and everything that was opened is closed.</summary>
[Collection(FakeCuda.Collection)]
[Trait("Ring", "cuda")]
public sealed class CudaFaultTests : IDisposable
{
    private readonly CudaScenario scenario = new();

    public void Dispose() => scenario.Dispose();

    [SkippableTheory]
    [InlineData(999)]
    [InlineData(2)]
    public void Every_call_may_fail(int code)
    {
        int said = 0;
        for (int call = 1; ; call++)
        {
            string? failure = Failure($"FAKE_CUDA_FAIL=*#{call}={code}");
            FakeCudaReport report = FakeCuda.Report();
            if (report.Injected is not { } name)
            {
                Assert.InRange(said, 30, call); // the scenario makes no so many calls
                return;
            }

            // Without its context nothing can be closed: the process ends, and the driver does it.
            Assert.True(
                report.Findings.Count == 0 || name == "cuCtxPushCurrent_v2",
                $"call {call}, {name}: {string.Join("; ", report.Findings)}"
            );
            Assert.True(failure is not null || MayFailSilently(name), $"call {call}, {name}, failed unnoticed");
            said += failure is null ? 0 : 1;
        }
    }

    private string? Failure(string setting)
    {
        try
        {
            scenario.Run(CudaDriver.Instance, setting);
            return null;
        }
        catch (CheckpointException failure)
        {
            Assert.Equal(CheckpointError.SourceUnavailable, failure.Error);
            Assert.NotNull(failure.Next);
            return failure.Message;
        }
    }

    /// <summary>Calls that let go of something: what they answer changes nothing, and they may stand where nothing can be said any more.</summary>
    private static bool MayFailSilently(string name) =>
        name
            is "cuIpcCloseMemHandle"
                or "cuMemFreeHost"
                or "cuStreamDestroy_v2"
                or "cuEventDestroy_v2"
                or "cuStreamSynchronize"
                or "cuCtxPopCurrent_v2"
                or "cuCtxPushCurrent_v2"
                or "cuDevicePrimaryCtxRelease_v2";
}
