using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Storage;

/// <summary>
/// A file that another program wrote, opened for reading together with its folder, so that owner and mode are judged on what was
/// opened and not on what stood at the path a moment before. Nothing is read until <see cref="TakeFile"/> is called.
/// </summary>
internal sealed class ForeignFile : IDisposable
{
    private DiskFile? file;

    private ForeignFile(FileEntry folder, FileEntry entry, DiskFile? file)
    {
        Folder = folder;
        Entry = entry;
        this.file = file;
    }

    /// <summary>The folder that the name was looked up in.</summary>
    internal FileEntry Folder { get; }

    /// <summary>What stands at the name itself; a link is not followed and not opened.</summary>
    internal FileEntry Entry { get; }

    /// <summary>Opens it, or null when folder or file do not exist. Links on the way to the folder are followed, one at the file is not.</summary>
    /// <exception cref="CheckpointException">DiskReadFailed: it may not be opened.</exception>
    internal static ForeignFile? TryOpen(string path)
    {
        string full = Path.GetFullPath(path);
        string folderPath = Path.GetDirectoryName(full) ?? "/";
        using DescriptorHandle? folder = Open(Libc.AT_FDCWD, folderPath, Libc.O_PATH | Libc.O_DIRECTORY);
        if (folder is null)
        {
            return null;
        }

        // Non-blocking, because opening a pipe that somebody put there would otherwise wait for ever.
        const int Flags = Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_NONBLOCK;
        int descriptor = Libc.OpenAt(folder.Value, Path.GetFileName(full), Flags | Libc.O_CLOEXEC, 0);
        int errno = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        FileEntry folderEntry = Stat(folder, folderPath);
        return errno switch
        {
            0 => Opened(folderEntry, new DescriptorHandle(descriptor), full),
            Libc.ENOENT => null,
            Libc.ELOOP => new ForeignFile(folderEntry, new FileEntry { Kind = FileEntryKind.Link }, null),
            _ => throw DiskErrors.For(errno, "open", full, isRead: true),
        };
    }

    /// <summary>Gives the open file away; the caller disposes it.</summary>
    internal DiskFile TakeFile()
    {
        DiskFile taken = file ?? throw new InvalidOperationException("a link has no open file, and a file is taken once");
        file = null;
        return taken;
    }

    /// <inheritdoc/>
    public void Dispose() => file?.Dispose();

    private static ForeignFile Opened(FileEntry folder, DescriptorHandle handle, string path) =>
        new(folder, Stat(handle, path), new DiskFile(path, handle));

    private static DescriptorHandle? Open(int folder, string path, int flags)
    {
        int descriptor = Libc.OpenAt(folder, path, flags | Libc.O_CLOEXEC, 0);
        if (descriptor >= 0)
        {
            return new DescriptorHandle(descriptor);
        }

        int errno = Marshal.GetLastPInvokeError();
        return errno is Libc.ENOENT or Libc.ENOTDIR ? null : throw DiskErrors.For(errno, "open", path, isRead: true);
    }

    private static FileEntry Stat(DescriptorHandle handle, string path) =>
        Libc.Statx(handle.Value, "", Libc.AT_EMPTY_PATH, Libc.STATX_BASIC_STATS, out Libc.StatxBuffer stat) == 0
            ? FileEntries.From(stat)
            : throw DiskErrors.Last("stat", path, isRead: true);
}
