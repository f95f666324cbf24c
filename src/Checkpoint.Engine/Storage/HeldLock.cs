using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Storage;

/// <summary>
/// A held advisory lock (flock). It is given back before the file is closed: a child process that is just being started shares the open
/// file until its exec, and would keep the lock for that long.
/// </summary>
internal sealed class HeldLock : IDisposable
{
    private readonly DescriptorHandle handle;

    private HeldLock(DescriptorHandle handle) => this.handle = handle;

    /// <summary>Takes it without waiting; takes over the handle.</summary>
    /// <returns>The lock, or null when another holder is in the way.</returns>
    /// <exception cref="CheckpointException">The file cannot be locked.</exception>
    internal static HeldLock? TryTake(DescriptorHandle handle, string path, bool shared, bool isRead)
    {
        int result;
        int errno;
        do
        {
            result = Libc.Flock(handle.Value, (shared ? Libc.LOCK_SH : Libc.LOCK_EX) | Libc.LOCK_NB);
            errno = result == 0 ? 0 : Marshal.GetLastPInvokeError();
        } while (errno == Libc.EINTR);

        if (result == 0)
        {
            return new HeldLock(handle);
        }

        handle.Dispose();
        return errno == Libc.EAGAIN ? null : throw DiskErrors.For(errno, "flock", path, isRead);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!handle.IsClosed)
        {
            _ = Libc.Flock(handle.Value, Libc.LOCK_UN);
            handle.Dispose();
        }
    }
}
