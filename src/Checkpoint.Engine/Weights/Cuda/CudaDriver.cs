using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>The driver of this machine. Its library is loaded by the first call.</summary>
internal sealed unsafe class CudaDriver : ICudaDriver
{
    private const uint LazyEnablePeerAccess = 1;
    private const uint Portable = 1;
    private const uint NonBlocking = 1;
    private const uint BlockingSyncWithoutTiming = 1 | 2;
    private const int LongestName = 256;

    private CudaDriver() { }

    /// <summary>The one there is.</summary>
    internal static CudaDriver Instance { get; } = new();

    /// <inheritdoc/>
    public CudaResult DriverGetVersion(out int version) => CudaLibrary.cuDriverGetVersion(out version);

    /// <inheritdoc/>
    public CudaResult Init() => CudaLibrary.cuInit(0);

    /// <inheritdoc/>
    public CudaResult DeviceGetCount(out int count) => CudaLibrary.cuDeviceGetCount(out count);

    /// <inheritdoc/>
    public CudaResult DeviceGet(out int device, int ordinal) => CudaLibrary.cuDeviceGet(out device, ordinal);

    /// <inheritdoc/>
    public CudaResult DeviceGetUuid(Span<byte> uuid, int device)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(uuid.Length, 16);
        fixed (byte* bytes = uuid)
        {
            return CudaLibrary.cuDeviceGetUuid_v2(bytes, device);
        }
    }

    /// <inheritdoc/>
    public CudaResult DeviceGetName(out string name, int device)
    {
        byte* text = stackalloc byte[LongestName];
        CudaResult result = CudaLibrary.cuDeviceGetName(text, LongestName, device);
        name = result == CudaResult.Success ? Marshal.PtrToStringUTF8((nint)text) ?? "" : "";
        return result;
    }

    /// <inheritdoc/>
    public CudaResult PrimaryContextRetain(out nint context, int device) => CudaLibrary.cuDevicePrimaryCtxRetain(out context, device);

    /// <inheritdoc/>
    public CudaResult PrimaryContextRelease(int device) => CudaLibrary.cuDevicePrimaryCtxRelease_v2(device);

    /// <inheritdoc/>
    public CudaResult ContextPush(nint context) => CudaLibrary.cuCtxPushCurrent_v2(context);

    /// <inheritdoc/>
    public CudaResult ContextPop(out nint context) => CudaLibrary.cuCtxPopCurrent_v2(out context);

    /// <inheritdoc/>
    public CudaResult IpcOpen(out ulong pointer, ReadOnlySpan<byte> handle)
    {
        CudaLibrary.IpcHandle value = MemoryMarshal.Read<CudaLibrary.IpcHandle>(handle);
        return CudaLibrary.cuIpcOpenMemHandle_v2(out pointer, value, LazyEnablePeerAccess);
    }

    /// <inheritdoc/>
    public CudaResult IpcClose(ulong pointer) => CudaLibrary.cuIpcCloseMemHandle(pointer);

    /// <inheritdoc/>
    public CudaResult AddressRange(out ulong start, out ulong bytes, ulong pointer)
    {
        CudaResult result = CudaLibrary.cuMemGetAddressRange_v2(out start, out nuint size, pointer);
        bytes = size;
        return result;
    }

    /// <inheritdoc/>
    public CudaResult HostAllocate(out nint memory, nint bytes) => CudaLibrary.cuMemHostAlloc(out memory, (nuint)bytes, Portable);

    /// <inheritdoc/>
    public CudaResult HostFree(nint memory) => CudaLibrary.cuMemFreeHost(memory);

    /// <inheritdoc/>
    public CudaResult StreamCreate(out nint stream) => CudaLibrary.cuStreamCreate(out stream, NonBlocking);

    /// <inheritdoc/>
    public CudaResult StreamSynchronize(nint stream) => CudaLibrary.cuStreamSynchronize(stream);

    /// <inheritdoc/>
    public CudaResult StreamDestroy(nint stream) => CudaLibrary.cuStreamDestroy_v2(stream);

    /// <inheritdoc/>
    public CudaResult EventCreate(out nint mark) => CudaLibrary.cuEventCreate(out mark, BlockingSyncWithoutTiming);

    /// <inheritdoc/>
    public CudaResult EventRecord(nint mark, nint stream) => CudaLibrary.cuEventRecord(mark, stream);

    /// <inheritdoc/>
    public CudaResult EventSynchronize(nint mark) => CudaLibrary.cuEventSynchronize(mark);

    /// <inheritdoc/>
    public CudaResult EventDestroy(nint mark) => CudaLibrary.cuEventDestroy_v2(mark);

    /// <inheritdoc/>
    public CudaResult CopyToHost(nint destination, ulong source, nint bytes, nint stream) =>
        CudaLibrary.cuMemcpyDtoHAsync_v2(destination, source, (nuint)bytes, stream);

    /// <inheritdoc/>
    public string ErrorName(CudaResult result) =>
        CudaLibrary.cuGetErrorName(result, out byte* name) == CudaResult.Success && name is not null
            ? Marshal.PtrToStringUTF8((nint)name) ?? $"CUDA error {(int)result}"
            : $"CUDA error {(int)result}";
}
