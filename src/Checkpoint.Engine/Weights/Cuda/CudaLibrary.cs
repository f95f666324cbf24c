using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>
/// The driver's entry points as cuda.h (CUDA 11.4 and later, 64-bit Linux) declares them; a device is an int, a device address 64 bits, every
/// other object a pointer. The library comes with NVIDIA's kernel module, never with a toolkit.
/// </summary>
internal static unsafe partial class CudaLibrary
{
    /// <summary>The library's name; the dynamic linker finds it.</summary>
    internal const string Name = "libcuda.so.1";

    [LibraryImport(Name)]
    internal static partial CudaResult cuDriverGetVersion(out int version);

    [LibraryImport(Name)]
    internal static partial CudaResult cuInit(uint flags);

    [LibraryImport(Name)]
    internal static partial CudaResult cuDeviceGetCount(out int count);

    [LibraryImport(Name)]
    internal static partial CudaResult cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Name)]
    internal static partial CudaResult cuDeviceGetUuid_v2(byte* uuid, int device);

    [LibraryImport(Name)]
    internal static partial CudaResult cuDeviceGetName(byte* name, int length, int device);

    [LibraryImport(Name)]
    internal static partial CudaResult cuDevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(Name)]
    internal static partial CudaResult cuDevicePrimaryCtxRelease_v2(int device);

    [LibraryImport(Name)]
    internal static partial CudaResult cuCtxPushCurrent_v2(nint context);

    [LibraryImport(Name)]
    internal static partial CudaResult cuCtxPopCurrent_v2(out nint context);

    [LibraryImport(Name)]
    internal static partial CudaResult cuIpcOpenMemHandle_v2(out ulong pointer, IpcHandle handle, uint flags);

    [LibraryImport(Name)]
    internal static partial CudaResult cuIpcCloseMemHandle(ulong pointer);

    [LibraryImport(Name)]
    internal static partial CudaResult cuMemGetAddressRange_v2(out ulong start, out nuint bytes, ulong pointer);

    [LibraryImport(Name)]
    internal static partial CudaResult cuMemHostAlloc(out nint memory, nuint bytes, uint flags);

    [LibraryImport(Name)]
    internal static partial CudaResult cuMemFreeHost(nint memory);

    [LibraryImport(Name)]
    internal static partial CudaResult cuStreamCreate(out nint stream, uint flags);

    [LibraryImport(Name)]
    internal static partial CudaResult cuStreamSynchronize(nint stream);

    [LibraryImport(Name)]
    internal static partial CudaResult cuStreamDestroy_v2(nint stream);

    [LibraryImport(Name)]
    internal static partial CudaResult cuEventCreate(out nint mark, uint flags);

    [LibraryImport(Name)]
    internal static partial CudaResult cuEventRecord(nint mark, nint stream);

    [LibraryImport(Name)]
    internal static partial CudaResult cuEventSynchronize(nint mark);

    [LibraryImport(Name)]
    internal static partial CudaResult cuEventDestroy_v2(nint mark);

    [LibraryImport(Name)]
    internal static partial CudaResult cuMemcpyDtoHAsync_v2(nint destination, ulong source, nuint bytes, nint stream);

    [LibraryImport(Name)]
    internal static partial CudaResult cuGetErrorName(CudaResult result, out byte* name);

    /// <summary>CUipcMemHandle: 64 bytes, passed by value.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    internal struct IpcHandle
    {
        internal fixed ulong Words[8];
    }
}
