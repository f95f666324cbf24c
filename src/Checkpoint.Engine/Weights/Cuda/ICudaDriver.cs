namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>
/// The calls of the CUDA driver that are made here, one to one: all there are, so nothing of a producer's memory can be written. A seam for
/// tests, which break one call and see the stand-in driver notice it.
/// </summary>
internal interface ICudaDriver
{
    /// <summary>cuDriverGetVersion: 1000 x major + 10 x minor. May be called before <see cref="Init"/>.</summary>
    /// <exception cref="DllNotFoundException">There is no driver.</exception>
    CudaResult DriverGetVersion(out int version);

    /// <summary>cuInit.</summary>
    CudaResult Init();

    /// <summary>cuDeviceGetCount.</summary>
    CudaResult DeviceGetCount(out int count);

    /// <summary>cuDeviceGet.</summary>
    CudaResult DeviceGet(out int device, int ordinal);

    /// <summary>cuDeviceGetUuid_v2, of an instance where the device is one; 16 bytes.</summary>
    CudaResult DeviceGetUuid(Span<byte> uuid, int device);

    /// <summary>cuDeviceGetName.</summary>
    CudaResult DeviceGetName(out string name, int device);

    /// <summary>cuDevicePrimaryCtxRetain.</summary>
    CudaResult PrimaryContextRetain(out nint context, int device);

    /// <summary>cuDevicePrimaryCtxRelease_v2.</summary>
    CudaResult PrimaryContextRelease(int device);

    /// <summary>cuCtxPushCurrent_v2: current on this thread.</summary>
    CudaResult ContextPush(nint context);

    /// <summary>cuCtxPopCurrent_v2.</summary>
    CudaResult ContextPop(out nint context);

    /// <summary>cuIpcOpenMemHandle_v2, with CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS, the only flag there is.</summary>
    /// <param name="pointer">The first byte of the block, an address of the device.</param>
    /// <param name="handle">64 bytes.</param>
    CudaResult IpcOpen(out ulong pointer, ReadOnlySpan<byte> handle);

    /// <summary>cuIpcCloseMemHandle.</summary>
    CudaResult IpcClose(ulong pointer);

    /// <summary>cuMemGetAddressRange_v2.</summary>
    CudaResult AddressRange(out ulong start, out ulong bytes, ulong pointer);

    /// <summary>cuMemHostAlloc, with CU_MEMHOSTALLOC_PORTABLE: pinned for every context.</summary>
    CudaResult HostAllocate(out nint memory, nint bytes);

    /// <summary>cuMemFreeHost.</summary>
    CudaResult HostFree(nint memory);

    /// <summary>cuStreamCreate, with CU_STREAM_NON_BLOCKING: it does not wait for the default stream.</summary>
    CudaResult StreamCreate(out nint stream);

    /// <summary>cuStreamSynchronize.</summary>
    CudaResult StreamSynchronize(nint stream);

    /// <summary>cuStreamDestroy_v2.</summary>
    CudaResult StreamDestroy(nint stream);

    /// <summary>cuEventCreate, with CU_EVENT_BLOCKING_SYNC and CU_EVENT_DISABLE_TIMING: a thread that waits sleeps.</summary>
    CudaResult EventCreate(out nint mark);

    /// <summary>cuEventRecord.</summary>
    CudaResult EventRecord(nint mark, nint stream);

    /// <summary>cuEventSynchronize.</summary>
    CudaResult EventSynchronize(nint mark);

    /// <summary>cuEventDestroy_v2.</summary>
    CudaResult EventDestroy(nint mark);

    /// <summary>cuMemcpyDtoHAsync_v2: from the device to pinned memory of this process. The only copy that is made.</summary>
    CudaResult CopyToHost(nint destination, ulong source, nint bytes, nint stream);

    /// <summary>cuGetErrorName: "CUDA_ERROR_OUT_OF_MEMORY"; the number where the driver has no name for it.</summary>
    string ErrorName(CudaResult result);
}
