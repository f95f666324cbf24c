namespace ApolloCheckpoint.Engine.Storage;

/// <summary>
/// The one seam between the engine and the operating system. Everything that the engine reads, writes, orders and locks goes through
/// it, so that tests can lose unsynced writes, fail any operation and enumerate crashes.
/// <para>
/// Durability: what was written through a file is durable after <see cref="IDiskFile.Flush"/>; a created, renamed or deleted name is
/// durable after <see cref="FlushFolder"/> of its folder. Nothing else is.
/// </para>
/// Failures are <see cref="CheckpointException"/>: DiskFull, DiskReadOnly, DiskWriteFailed, DiskReadFailed. A path that does not exist
/// where it must is a <see cref="FileNotFoundException"/>; one that exists where it must not, an <see cref="IOException"/> of our own making.
/// </summary>
public interface IDisk
{
    /// <summary>What stands at the path itself (a link is not followed), or null when nothing does.</summary>
    FileEntry? Stat(string path);

    /// <summary>Where a symbolic link leads in the end: an absolute path of something that exists and is no link.</summary>
    /// <exception cref="FileNotFoundException">The link leads nowhere, or there is no link at the path.</exception>
    string ResolveLink(string path);

    /// <summary>Names in a folder, ordinal order, without "." and ".."; empty when the folder does not exist.</summary>
    IReadOnlyList<string> List(string folder);

    /// <summary>Opens an existing regular file. A symbolic link at the path is refused.</summary>
    /// <param name="path">The file.</param>
    /// <param name="writable">For reading and writing instead of reading only.</param>
    IDiskFile Open(string path, bool writable = false);

    /// <summary>Creates a file for reading and writing; fails when the name exists. Mode 0600 when private, else 0644, less the umask.</summary>
    IDiskFile Create(string path, bool isPrivate = false);

    /// <summary>Renames; an existing target is replaced in one step.</summary>
    void Rename(string from, string to);

    /// <summary>Renames only where the target does not exist.</summary>
    void RenameNew(string from, string to);

    /// <summary>Removes a file's name.</summary>
    void Delete(string path);

    /// <summary>Creates one folder when it is not there. The caller flushes the parent.</summary>
    void CreateFolder(string path);

    /// <summary>Removes the name of an empty folder; one that is not empty is a DiskWriteFailed.</summary>
    void DeleteFolder(string path);

    /// <summary>Makes the names in a folder durable. A failure is never DiskFull: no step may be done again as if it could succeed.</summary>
    void FlushFolder(string folder);

    /// <summary>Takes an advisory lock (flock) on a file, creating it when missing, without waiting.</summary>
    /// <returns>The lock, or null when another holder is in the way. It dies with the process.</returns>
    IDisposable? TryLock(string path, bool shared);

    /// <summary>Bytes that can still be written to the file system of the path.</summary>
    long AvailableBytes(string path);

    /// <summary>Gives a file the permission bits of another, and its owner and group as far as this user may.</summary>
    void CopyAccess(string from, string to) { }

    /// <summary>
    /// Why the file system of the path does not keep the promises that this seam makes ("nfs is a network file system"), or null when
    /// nothing is known against it.
    /// </summary>
    string? UnfitReason(string path) => null;

    /// <summary>Whether what is written to an existing folder stays in memory and costs no disk anything. True where nobody can tell.</summary>
    bool IsInMemory(string path) => true;
}
