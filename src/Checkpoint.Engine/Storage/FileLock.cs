using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Storage;

/// <summary>An advisory lock (flock) on a file that another program made, and that may be readable only.</summary>
internal static class FileLock
{
    /// <summary>Takes it without waiting.</summary>
    /// <returns>The lock, or null when another holder is in the way.</returns>
    /// <exception cref="CheckpointException">The file cannot be opened or locked.</exception>
    internal static IDisposable? TryTake(string path, bool shared)
    {
        int descriptor = Libc.Open(path, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0);
        if (descriptor < 0)
        {
            throw DiskErrors.Last("open", path, isRead: true);
        }

        DescriptorHandle handle = new(descriptor);
        int result;
        int errno;
        do
        {
            result = Libc.Flock(descriptor, (shared ? Libc.LOCK_SH : Libc.LOCK_EX) | Libc.LOCK_NB);
            errno = result == 0 ? 0 : Marshal.GetLastPInvokeError();
        } while (errno == Libc.EINTR);

        if (result == 0)
        {
            return handle;
        }

        handle.Dispose();
        return errno == Libc.EAGAIN ? null : throw DiskErrors.For(errno, "flock", path, isRead: true);
    }
}
