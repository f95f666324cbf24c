namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>Turns the driver's answers into failures that a user understands. All of them are SourceUnavailable: nothing was written.</summary>
internal static class CudaFailure
{
    /// <summary>Does nothing when the call succeeded.</summary>
    /// <param name="driver">Knows the names of errors.</param>
    /// <param name="result">The answer.</param>
    /// <param name="doing">What was being done, to what: "retaining the context of GPU-5f3c…".</param>
    /// <exception cref="CheckpointException">SourceUnavailable.</exception>
    internal static void Require(ICudaDriver driver, CudaResult result, string doing)
    {
        if (result != CudaResult.Success)
        {
            throw Of($"{doing}: {driver.ErrorName(result)}", NextAfter(result));
        }
    }

    /// <summary>A failure of the driver to open or read what the handles name.</summary>
    internal static CheckpointException Of(string message, string next, Exception? inner = null) =>
        new(CheckpointError.SourceUnavailable, message, next, inner);

    /// <summary>There is no driver library on this machine.</summary>
    internal static CheckpointException NoLibrary(Exception inner) =>
        Of(
            $"{CudaLibrary.Name}, NVIDIA's driver, is not on this machine",
            "run on the producer's machine, where the memory is; in a container, give it the GPU: docker run --gpus all",
            inner
        );

    private static string NextAfter(CudaResult result) =>
        result switch
        {
            CudaResult.OutOfMemory =>
                "leave the reader room on the device, 0.5 GB for its context: start vLLM with a smaller --gpu-memory-utilization",
            CudaResult.DeviceUnavailable => "another process holds the device exclusively; let them share it: nvidia-smi -c DEFAULT",
            CudaResult.NoDevice => "let this process see the producer's GPU: CUDA_VISIBLE_DEVICES, docker run --gpus all",
            CudaResult.StubLibrary => "a toolkit's stub stands before the real driver: look at LD_LIBRARY_PATH",
            CudaResult.SystemNotReady => "start nvidia-fabricmanager, or wait until it is up",
            CudaResult.SystemDriverMismatch =>
                "driver library and kernel module differ: restart the machine after the update of the driver",
            CudaResult.InvalidDevice or CudaResult.PeerAccessUnsupported =>
                "the memory lies on another device than the handles say: restart the producer, so that it publishes again",
            CudaResult.InvalidHandle or CudaResult.InvalidValue or CudaResult.InvalidContext or CudaResult.MapFailed =>
                "restart the producer, so that it publishes again; in containers, producer and reader share the PID namespace",
            CudaResult.IllegalAddress => "the producer freed the memory while it was read: run again when it is up",
            _ => "look into dmesg for Xid; a .pt file can be read through torch as well: --source python",
        };
}
