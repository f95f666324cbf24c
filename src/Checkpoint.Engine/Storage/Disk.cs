using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Storage;

/// <summary>The real disk: plain system calls, no buffering of our own, no retries of a failed flush.</summary>
public sealed class Disk : IDisk
{
    /// <summary>It has no state.</summary>
    public static Disk Instance { get; } = new();

    /// <inheritdoc/>
    public FileEntry? Stat(string path) => Stat(Libc.AT_FDCWD, path, Libc.AT_SYMLINK_NOFOLLOW, path);

    /// <inheritdoc/>
    public string ResolveLink(string path)
    {
        try
        {
            FileSystemInfo? target = File.ResolveLinkTarget(path, returnFinalTarget: true);
            // Not its own Exists: that asks for a file, and a link may lead to a folder.
            return target is not null && Path.Exists(target.FullName)
                ? target.FullName
                : throw new FileNotFoundException($"{path} is a link that leads nowhere", path);
        }
        catch (IOException e) when (e is not FileNotFoundException)
        {
            // A circle of links.
            throw new FileNotFoundException($"{path} is a link that leads nowhere: {e.Message}", path, e);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder)
    {
        try
        {
            string[] names = [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path))];
            Array.Sort(names, StringComparer.Ordinal);
            return names;
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new CheckpointException(
                CheckpointError.DiskReadFailed,
                $"{folder} cannot be listed: {e.Message}",
                "check its permissions",
                e
            );
        }
    }

    /// <inheritdoc/>
    public IDiskFile Open(string path, bool writable = false)
    {
        // Without O_NONBLOCK a named pipe in the place of a file would hold us for ever; a regular file does not know the flag.
        int flags = (writable ? Libc.O_RDWR : Libc.O_RDONLY) | Libc.O_NOFOLLOW | Libc.O_NONBLOCK | Libc.O_CLOEXEC;
        DescriptorHandle handle = OpenDescriptor(path, flags, 0, !writable);
        if (Stat(handle.Value, "", Libc.AT_EMPTY_PATH, path) is not { Kind: FileEntryKind.File })
        {
            handle.Dispose();
            throw new CheckpointException(CheckpointError.DiskReadFailed, $"{path} is not a regular file", "check what stands there");
        }

        return new DiskFile(path, handle);
    }

    /// <inheritdoc/>
    public IDiskFile Create(string path, bool isPrivate = false)
    {
        int flags = Libc.O_RDWR | Libc.O_CREAT | Libc.O_EXCL | Libc.O_NOFOLLOW | Libc.O_CLOEXEC;
        return new DiskFile(path, OpenDescriptor(path, flags, isPrivate ? 0x180 : 0x1A4, isRead: false));
    }

    /// <inheritdoc/>
    public void Rename(string from, string to) => Check(Libc.Rename(from, to), "rename", $"{from} to {to}");

    /// <inheritdoc/>
    public void RenameNew(string from, string to)
    {
        int result = Libc.RenameAt2(Libc.AT_FDCWD, from, Libc.AT_FDCWD, to, Libc.RENAME_NOREPLACE);
        int errno = result == 0 ? 0 : Marshal.GetLastPInvokeError();
        if (errno is Libc.EINVAL or Libc.ENOSYS)
        {
            // A file system without the flag: a hard link refuses an existing name too. A crash between the two leaves both names.
            Check(Libc.Link(from, to), "link", $"{from} to {to}");
            Check(Libc.Unlink(from), "unlink", from);
        }
        else if (errno != 0)
        {
            throw DiskErrors.For(errno, "rename", $"{from} to {to}");
        }
    }

    /// <inheritdoc/>
    public void Delete(string path) => Check(Libc.Unlink(path), "unlink", path);

    /// <inheritdoc/>
    public void CreateFolder(string path)
    {
        if (Libc.MakeFolder(path, 0x1ED) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != Libc.EEXIST)
            {
                throw DiskErrors.For(errno, "mkdir", path);
            }
        }
    }

    /// <inheritdoc/>
    public void DeleteFolder(string path) => Check(Libc.RemoveFolder(path), "rmdir", path);

    /// <inheritdoc/>
    public void FlushFolder(string folder)
    {
        using DescriptorHandle handle = OpenDescriptor(folder, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC, 0, isRead: false);
        if (Libc.Fsync(handle.Value) != 0)
        {
            throw DiskErrors.LastOfFolderFlush(folder);
        }
    }

    /// <inheritdoc/>
    public IDisposable? TryLock(string path, bool shared)
    {
        DescriptorHandle handle = OpenDescriptor(path, Libc.O_RDWR | Libc.O_CREAT | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0x1A4, isRead: false);
        return HeldLock.TryTake(handle, path, shared, isRead: false);
    }

    /// <inheritdoc/>
    public long AvailableBytes(string path)
    {
        if (Libc.Statvfs(path, out Libc.StatvfsBuffer stat) != 0)
        {
            throw DiskErrors.Last("statvfs", path, isRead: true);
        }

        return (long)UInt128.Min(long.MaxValue, (UInt128)stat.AvailableBlocks * stat.FragmentSize);
    }

    private static FileEntry? Stat(int folder, string relative, int flags, string path)
    {
        int result = Libc.Statx(folder, relative, flags, Libc.STATX_BASIC_STATS, out Libc.StatxBuffer stat);
        if (result != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            return errno is Libc.ENOENT or Libc.ENOTDIR ? null : throw DiskErrors.For(errno, "stat", path, isRead: true);
        }

        return FileEntries.From(stat);
    }

    /// <inheritdoc/>
    public void CopyAccess(string from, string to)
    {
        if (Libc.Statx(Libc.AT_FDCWD, from, Libc.AT_SYMLINK_NOFOLLOW, Libc.STATX_BASIC_STATS, out Libc.StatxBuffer stat) != 0)
        {
            throw DiskErrors.Last("stat", from, isRead: true);
        }

        using DescriptorHandle file = OpenDescriptor(to, Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0, isRead: false);
        // Only root may give a file away; without that right the file stays ours, which is what any editor does too.
        if (Libc.ChangeOwner(file.Value, stat.Owner, stat.Group) != 0 && Marshal.GetLastPInvokeError() != Libc.EPERM)
        {
            throw DiskErrors.Last("fchown", to);
        }

        Check(Libc.ChangeMode(file.Value, (uint)(stat.Mode & 0x1FF)), "fchmod", to);
    }

    /// <inheritdoc/>
    public string? UnfitReason(string path) => FileSystems.UnfitReason(FileSystemType(path));

    /// <inheritdoc/>
    public bool IsInMemory(string path) => FileSystems.IsInMemory(FileSystemType(path));

    private static long FileSystemType(string path) =>
        Libc.StatFileSystem(path, out Libc.StatFsBuffer stat) == 0 ? stat.Type : throw DiskErrors.Last("statfs", path, isRead: true);

    private static DescriptorHandle OpenDescriptor(string path, int flags, int mode, bool isRead)
    {
        while (true)
        {
            int descriptor = Libc.Open(path, flags, mode);
            if (descriptor >= 0)
            {
                return new DescriptorHandle(descriptor);
            }

            if (Marshal.GetLastPInvokeError() != Libc.EINTR)
            {
                throw DiskErrors.Last("open", path, isRead);
            }
        }
    }

    private static void Check(int result, string call, string path)
    {
        if (result != 0)
        {
            throw DiskErrors.Last(call, path);
        }
    }
}
