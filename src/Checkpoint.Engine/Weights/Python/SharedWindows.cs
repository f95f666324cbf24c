using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// The memory through which tensor bytes come from the host: equal windows in anonymous shared memory. It has no name in any folder, so
/// nothing is left behind however the two processes end, and it does not depend on the size of /dev/shm. The child opens it through
/// /proc, which the kernel allows to processes of the same user.
/// </summary>
internal sealed unsafe class SharedWindows : IDisposable
{
    /// <summary>Bytes of a window: twice the largest chunk of the engine, and small enough to stay in a cache.</summary>
    internal const int WindowBytes = 4 << 20;

    private readonly DescriptorHandle descriptor;
    private byte* start;

    private SharedWindows(DescriptorHandle descriptor, int bytes)
    {
        this.descriptor = descriptor;
        Bytes = bytes;
        start = Libc.Mmap(0, bytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, descriptor.Value, 0);
        if ((nint)start == -1)
        {
            start = null;
            descriptor.Dispose();
            throw Failed("mmap");
        }
    }

    /// <summary>Bytes of all windows.</summary>
    internal int Bytes { get; }

    /// <summary>Number of windows.</summary>
    internal int Count => Bytes / WindowBytes;

    /// <summary>Address of the first window in this process.</summary>
    internal nint Address => (nint)start;

    /// <summary>The path at which a child of this process opens the same memory.</summary>
    internal string PathForChild => $"/proc/{Environment.ProcessId}/fd/{descriptor.Value}";

    /// <summary>New memory.</summary>
    /// <exception cref="IOException">The system has none.</exception>
    internal static SharedWindows Create(int count)
    {
        int bytes = checked(count * WindowBytes);
        int descriptor = Libc.MemfdCreate("apollo-windows", Libc.MFD_CLOEXEC);
        if (descriptor < 0)
        {
            throw Failed("memfd_create");
        }

        DescriptorHandle handle = new(descriptor);
        if (Libc.Truncate(descriptor, bytes) != 0)
        {
            handle.Dispose();
            throw Failed("ftruncate");
        }

        return new SharedWindows(handle, bytes);
    }

    /// <summary>The memory of another process.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    internal static SharedWindows Open(string path, int bytes)
    {
        int descriptor = Libc.Open(path, Libc.O_RDWR | Libc.O_CLOEXEC, 0);
        return descriptor >= 0 ? new SharedWindows(new DescriptorHandle(descriptor), bytes) : throw Failed($"open {path}");
    }

    /// <summary>One window.</summary>
    internal Span<byte> this[int window] =>
        (uint)window < (uint)Count && start is not null
            ? new Span<byte>(start + ((nint)window * WindowBytes), WindowBytes)
            : throw new ArgumentOutOfRangeException(nameof(window), window, null);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (start is not null)
        {
            _ = Libc.Munmap(start, Bytes);
            start = null;
        }

        descriptor.Dispose();
    }

    private static IOException Failed(string call) =>
        new($"{call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())} (shared memory for the python source)");
}
