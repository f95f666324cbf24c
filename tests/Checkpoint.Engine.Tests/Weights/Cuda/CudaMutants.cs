using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Weights.Cuda;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Cuda;

/// <summary>
/// Our source with one call to the driver dropped or altered, as a careless change would do it. Each breaks one rule that the stand-in
/// holds, and is named after it.
/// </summary>
internal static class CudaMutants
{
    internal sealed class NeverInitializes : DelegatingCudaDriver
    {
        public override CudaResult Init() => CudaResult.Success;
    }

    internal sealed class NeverEntersAContext : DelegatingCudaDriver
    {
        public override CudaResult ContextPush(nint context) => CudaResult.Success;

        public override CudaResult ContextPop(out nint context)
        {
            context = 0;
            return CudaResult.Success;
        }
    }

    internal sealed class NeverLeavesAContext : DelegatingCudaDriver
    {
        public override CudaResult ContextPop(out nint context)
        {
            context = 0;
            return CudaResult.Success;
        }
    }

    internal sealed class NeverReleasesTheContext : DelegatingCudaDriver
    {
        public override CudaResult PrimaryContextRelease(int device) => CudaResult.Success;
    }

    internal sealed class ReleasesTheContextTwice : DelegatingCudaDriver
    {
        public override CudaResult PrimaryContextRelease(int device)
        {
            _ = base.PrimaryContextRelease(device);
            return base.PrimaryContextRelease(device);
        }
    }

    internal sealed class ReleasesTheContextBeforeTheBlocks : DelegatingCudaDriver
    {
        private readonly HashSet<int> released = [];

        public override CudaResult IpcClose(ulong pointer)
        {
            for (int device = 0; device < 2; device++)
            {
                _ = released.Add(device) ? base.PrimaryContextRelease(device) : CudaResult.Success;
            }

            return base.IpcClose(pointer);
        }

        public override CudaResult PrimaryContextRelease(int device) => CudaResult.Success;
    }

    internal sealed class EntersAContextThatIsNotRetained : DelegatingCudaDriver
    {
        public override CudaResult PrimaryContextRetain(out nint context, int device)
        {
            _ = base.PrimaryContextRetain(out context, device);
            return base.PrimaryContextRelease(device);
        }

        public override CudaResult PrimaryContextRelease(int device) => CudaResult.Success;
    }

    internal sealed class OpensABlockTwice : DelegatingCudaDriver
    {
        public override CudaResult IpcOpen(out ulong pointer, ReadOnlySpan<byte> handle)
        {
            _ = base.IpcOpen(out _, handle);
            return base.IpcOpen(out pointer, handle);
        }
    }

    internal sealed class NeverClosesABlock : DelegatingCudaDriver
    {
        public override CudaResult IpcClose(ulong pointer) => CudaResult.Success;
    }

    internal sealed class ClosesABlockTwice : DelegatingCudaDriver
    {
        public override CudaResult IpcClose(ulong pointer)
        {
            _ = base.IpcClose(pointer);
            return base.IpcClose(pointer);
        }
    }

    internal sealed class OpensWithoutItsFlag : DelegatingCudaDriver
    {
        public override unsafe CudaResult IpcOpen(out ulong pointer, ReadOnlySpan<byte> handle)
        {
            CudaLibrary.IpcHandle value = MemoryMarshal.Read<CudaLibrary.IpcHandle>(handle);
            ulong address = 0;
            var open = (delegate* unmanaged<ulong*, CudaLibrary.IpcHandle, uint, CudaResult>)Export("cuIpcOpenMemHandle_v2");
            CudaResult result = open(&address, value, 0);
            pointer = address;
            return result;
        }
    }

    internal sealed class NeverAsksHowLongABlockIs : DelegatingCudaDriver
    {
        public override CudaResult AddressRange(out ulong start, out ulong bytes, ulong pointer)
        {
            (start, bytes) = (pointer, long.MaxValue);
            return CudaResult.Success;
        }
    }

    internal sealed class CopiesFromBehindTheBlock : DelegatingCudaDriver
    {
        public override CudaResult CopyToHost(nint destination, ulong source, nint bytes, nint stream) =>
            base.CopyToHost(destination, source + (1 << 20), bytes, stream);
    }

    internal sealed class CopiesFromTheWrongPlace : DelegatingCudaDriver
    {
        public override CudaResult CopyToHost(nint destination, ulong source, nint bytes, nint stream) =>
            base.CopyToHost(destination, source + 2, bytes, stream);
    }

    internal sealed class CopiesIntoMemoryThatIsNotPinned : DelegatingCudaDriver
    {
        public override unsafe CudaResult HostAllocate(out nint memory, nint bytes)
        {
            memory = (nint)NativeMemory.Alloc((nuint)bytes);
            return CudaResult.Success;
        }

        public override unsafe CudaResult HostFree(nint memory)
        {
            NativeMemory.Free((void*)memory);
            return CudaResult.Success;
        }
    }

    internal sealed class NeverFreesPinnedMemory : DelegatingCudaDriver
    {
        public override CudaResult HostFree(nint memory) => CudaResult.Success;
    }

    internal sealed class FreesPinnedMemoryTwice : DelegatingCudaDriver
    {
        public override CudaResult HostFree(nint memory)
        {
            _ = base.HostFree(memory);
            return base.HostFree(memory);
        }
    }

    internal sealed class NeverDestroysAStream : DelegatingCudaDriver
    {
        public override CudaResult StreamDestroy(nint stream) => CudaResult.Success;
    }

    internal sealed class NeverDestroysAnEvent : DelegatingCudaDriver
    {
        public override CudaResult EventDestroy(nint mark) => CudaResult.Success;
    }

    internal sealed class UsesAStreamAfterItsEnd : DelegatingCudaDriver
    {
        public override CudaResult StreamDestroy(nint stream)
        {
            _ = base.StreamDestroy(stream);
            return base.StreamSynchronize(stream);
        }
    }

    internal sealed class NeverWaitsForACopy : DelegatingCudaDriver
    {
        public override CudaResult EventSynchronize(nint mark) => CudaResult.Success;
    }

    internal sealed class NeverMarksACopy : DelegatingCudaDriver
    {
        public override CudaResult EventRecord(nint mark, nint stream) => CudaResult.Success;
    }

    internal sealed class LeavesWithCopiesUnderWay : DelegatingCudaDriver
    {
        public override CudaResult StreamSynchronize(nint stream) => CudaResult.Success;
    }

    internal sealed class CopiesTwice : DelegatingCudaDriver
    {
        public override CudaResult CopyToHost(nint destination, ulong source, nint bytes, nint stream)
        {
            _ = base.CopyToHost(destination, source, bytes, stream);
            return base.CopyToHost(destination, source, bytes, stream);
        }
    }

    internal sealed class UsesOneStreamForAllDevices : DelegatingCudaDriver
    {
        private nint first;

        public override CudaResult StreamCreate(out nint stream)
        {
            CudaResult result = first == 0 ? base.StreamCreate(out first) : CudaResult.Success;
            stream = first;
            return result;
        }
    }

    internal sealed class OpensBlocksOnTheWrongDevice : DelegatingCudaDriver
    {
        private readonly List<nint> contexts = [];

        public override CudaResult PrimaryContextRetain(out nint context, int device)
        {
            CudaResult result = base.PrimaryContextRetain(out context, device);
            contexts.Add(context);
            context = contexts[0];
            return result;
        }
    }

    internal sealed class WritesToTheProducer : DelegatingCudaDriver
    {
        public override unsafe CudaResult IpcOpen(out ulong pointer, ReadOnlySpan<byte> handle)
        {
            CudaResult result = base.IpcOpen(out pointer, handle);
            _ = ((delegate* unmanaged<ulong, byte, nuint, CudaResult>)Export("cuMemsetD8_v2"))(pointer, 0, 1);
            return result;
        }
    }

    private static nint Export(string name) => NativeLibrary.GetExport(FakeCuda.Handle, name);
}
