using Microsoft.Win32.SafeHandles;

namespace ApolloCheckpoint.Engine.Storage;

/// <summary>
/// A file descriptor. Not SafeFileHandle, because .NET takes a flock of its own on those, which would fight with ours
/// (the switch System.IO.DisableFileLocking is per program, and a library cannot rely on it).
/// </summary>
internal sealed class DescriptorHandle : SafeHandleMinusOneIsInvalid
{
    internal DescriptorHandle(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    /// <summary>The descriptor; valid while the handle is not disposed.</summary>
    internal int Value => IsClosed ? throw new ObjectDisposedException(nameof(DescriptorHandle)) : (int)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
