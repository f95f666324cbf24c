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

        return HeldLock.TryTake(new DescriptorHandle(descriptor), path, shared, isRead: true);
    }
}
