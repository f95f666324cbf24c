using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Storage;

/// <summary>Turns errno into our exceptions, naming the call and the path.</summary>
internal static class DiskErrors
{
    /// <summary>The exception for the last failed call.</summary>
    /// <param name="call">The call's name, for example "fsync".</param>
    /// <param name="path">What it was called on.</param>
    /// <param name="isRead">Whether bytes were being read, not written.</param>
    internal static Exception Last(string call, string path, bool isRead = false) => For(Marshal.GetLastPInvokeError(), call, path, isRead);

    /// <summary>
    /// The exception for the last failed flush of a folder. Never DiskFull, which stands for a step that can be done again: doing it again
    /// does not write the names that this flush may have lost.
    /// </summary>
    internal static Exception LastOfFolderFlush(string folder)
    {
        int errno = Marshal.GetLastPInvokeError();
        return errno is Libc.ENOSPC or Libc.EDQUOT
            ? new CheckpointException(
                CheckpointError.DiskWriteFailed,
                $"fsync of {folder} failed: {Marshal.GetPInvokeErrorMessage(errno)}",
                "free some space, then run the command again"
            )
            : For(errno, "fsync", folder);
    }

    /// <summary>The exception for an errno.</summary>
    internal static Exception For(int errno, string call, string path, bool isRead = false)
    {
        string what = $"{call} of {path} failed: {Marshal.GetPInvokeErrorMessage(errno)}";
        return errno switch
        {
            Libc.ENOENT or Libc.ENOTDIR => new FileNotFoundException(what, path),
            Libc.EEXIST => new IOException(what),
            Libc.ENOSPC or Libc.EDQUOT => new CheckpointException(
                CheckpointError.DiskFull,
                what,
                "free some space (apollo-checkpoint prune removes old versions), then run the command again"
            ),
            Libc.EROFS or Libc.EACCES or Libc.EPERM => new CheckpointException(
                isRead ? CheckpointError.DiskReadFailed : CheckpointError.DiskReadOnly,
                what,
                "check the permissions and the mount options, then run the command again"
            ),
            Libc.ELOOP => new CheckpointException(
                isRead ? CheckpointError.DiskReadFailed : CheckpointError.DiskReadOnly,
                $"{path} is a symbolic link where a file of its own is needed",
                "put the file itself in the place of the link, then run the command again"
            ),
            _ => new CheckpointException(
                isRead ? CheckpointError.DiskReadFailed : CheckpointError.DiskWriteFailed,
                what,
                "look at the kernel log (dmesg) for the device, then run the command again"
            ),
        };
    }
}
