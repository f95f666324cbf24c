using ApolloCheckpoint.Engine.Weights.Cuda;

namespace ApolloCheckpoint.Engine.Tests.Weights.Cuda;

/// <summary>Hands every call on to the stand-in; a mutant overrides one.</summary>
internal class DelegatingCudaDriver : ICudaDriver
{
    protected static ICudaDriver Inner => CudaDriver.Instance;

    public virtual CudaResult DriverGetVersion(out int version) => Inner.DriverGetVersion(out version);

    public virtual CudaResult Init() => Inner.Init();

    public virtual CudaResult DeviceGetCount(out int count) => Inner.DeviceGetCount(out count);

    public virtual CudaResult DeviceGet(out int device, int ordinal) => Inner.DeviceGet(out device, ordinal);

    public virtual CudaResult DeviceGetUuid(Span<byte> uuid, int device) => Inner.DeviceGetUuid(uuid, device);

    public virtual CudaResult DeviceGetName(out string name, int device) => Inner.DeviceGetName(out name, device);

    public virtual CudaResult PrimaryContextRetain(out nint context, int device) => Inner.PrimaryContextRetain(out context, device);

    public virtual CudaResult PrimaryContextRelease(int device) => Inner.PrimaryContextRelease(device);

    public virtual CudaResult ContextPush(nint context) => Inner.ContextPush(context);

    public virtual CudaResult ContextPop(out nint context) => Inner.ContextPop(out context);

    public virtual CudaResult IpcOpen(out ulong pointer, ReadOnlySpan<byte> handle) => Inner.IpcOpen(out pointer, handle);

    public virtual CudaResult IpcClose(ulong pointer) => Inner.IpcClose(pointer);

    public virtual CudaResult AddressRange(out ulong start, out ulong bytes, ulong pointer) =>
        Inner.AddressRange(out start, out bytes, pointer);

    public virtual CudaResult HostAllocate(out nint memory, nint bytes) => Inner.HostAllocate(out memory, bytes);

    public virtual CudaResult HostFree(nint memory) => Inner.HostFree(memory);

    public virtual CudaResult StreamCreate(out nint stream) => Inner.StreamCreate(out stream);

    public virtual CudaResult StreamSynchronize(nint stream) => Inner.StreamSynchronize(stream);

    public virtual CudaResult StreamDestroy(nint stream) => Inner.StreamDestroy(stream);

    public virtual CudaResult EventCreate(out nint mark) => Inner.EventCreate(out mark);

    public virtual CudaResult EventRecord(nint mark, nint stream) => Inner.EventRecord(mark, stream);

    public virtual CudaResult EventSynchronize(nint mark) => Inner.EventSynchronize(mark);

    public virtual CudaResult EventDestroy(nint mark) => Inner.EventDestroy(mark);

    public virtual CudaResult CopyToHost(nint destination, ulong source, nint bytes, nint stream) =>
        Inner.CopyToHost(destination, source, bytes, stream);

    public virtual string ErrorName(CudaResult result) => Inner.ErrorName(result);
}
