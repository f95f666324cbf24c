using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>The devices of this process, and which of them a handle means.</summary>
internal static class CudaDevices
{
    /// <summary>Oldest driver: CUDA 11.4, the first with cuDeviceGetUuid_v2.</summary>
    internal const int OldestDriver = 11040;

    /// <summary>Starts the driver and lists what it shows. Makes no context.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable: no driver, a driver too old, no device.</exception>
    internal static IReadOnlyList<CudaDevice> List(ICudaDriver driver)
    {
        int version = Version(driver);
        if (version < OldestDriver)
        {
            throw CudaFailure.Of(
                $"the CUDA driver is of version {Text(version)}; reading without torch needs {Text(OldestDriver)}",
                "update the driver; a .pt file can be read through torch as well: --source python"
            );
        }

        CudaFailure.Require(driver, driver.Init(), "starting the CUDA driver");
        CudaFailure.Require(driver, driver.DeviceGetCount(out int count), "counting devices");
        return [.. Enumerable.Range(0, count).Select(ordinal => Device(driver, ordinal))];
    }

    /// <summary>The driver's version, 1000 x major + 10 x minor.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable: no driver.</exception>
    internal static int Version(ICudaDriver driver)
    {
        try
        {
            CudaFailure.Require(driver, driver.DriverGetVersion(out int version), "asking for the driver's version");
            return version;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw CudaFailure.NoLibrary(e);
        }
    }

    /// <summary>"12.4" of 12040.</summary>
    internal static string Text(int version) => $"{version / 1000}.{version % 1000 / 10}";

    /// <summary>The device that an allocation lies on.</summary>
    /// <param name="devices">What this process sees.</param>
    /// <param name="allocation">Names it by UUID, or by the producer's own number.</param>
    /// <param name="producer">Process id of the producer, or null: its numbers are of its own environment.</param>
    /// <exception cref="CheckpointException">SourceUnavailable: none of them, or not to be told.</exception>
    internal static CudaDevice Find(IReadOnlyList<CudaDevice> devices, HandleAllocation allocation, int? producer)
    {
        if (allocation.DeviceUuid is { } uuid)
        {
            return devices.FirstOrDefault(device => device.Is(uuid))
                ?? throw CudaFailure.Of(
                    $"the handles name device {uuid}, and this process sees {List(devices)}",
                    "let it see the producer's device: CUDA_VISIBLE_DEVICES, docker run --gpus all"
                );
        }

        if (devices.Count == 1)
        {
            return devices[0];
        }

        int number = allocation.Device ?? 0;
        VisibleDevices? theirs = producer is { } pid ? VisibleDevices.OfProcess(pid) : null;
        return (theirs is { } seen ? seen.Find(number, VisibleDevices.Own, devices) : null)
            ?? throw CudaFailure.Of(
                $"the handles name the producer's device {number}, and which of {List(devices)} that is cannot be told",
                "start the sync with the CUDA_VISIBLE_DEVICES of the producer, one device only; or read through torch: --source python"
            );
    }

    private static string List(IReadOnlyList<CudaDevice> devices) =>
        devices.Count == 0 ? "none" : string.Join(", ", devices.Select(device => device.Uuid));

    private static CudaDevice Device(ICudaDriver driver, int ordinal)
    {
        CudaFailure.Require(driver, driver.DeviceGet(out int handle, ordinal), $"opening device {ordinal}");
        Span<byte> uuid = stackalloc byte[16];
        CudaFailure.Require(driver, driver.DeviceGetUuid(uuid, handle), $"asking device {ordinal} for its UUID");
        CudaFailure.Require(driver, driver.DeviceGetName(out string name, handle), $"asking device {ordinal} for its name");
        return new CudaDevice(ordinal, handle, $"GPU-{new Guid(uuid, bigEndian: true)}", name);
    }
}
