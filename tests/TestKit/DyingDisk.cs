using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit;

/// <summary>
/// The real disk of a process that dies: from the n-th writing operation on, every operation fails, so that nothing is cleaned up
/// afterwards; its locks go as they do with a process. What was written before stays, as after a kill.
/// </summary>
/// <param name="inner">The disk underneath.</param>
/// <param name="operations">Writing operations that still succeed.</param>
public sealed class DyingDisk(IDisk inner, int operations) : IDisk
{
    private int left = operations;

    /// <summary>Whether it died.</summary>
    public bool IsDead => Volatile.Read(ref left) < 0;

    /// <inheritdoc/>
    public FileEntry? Stat(string path) => Alive().Stat(path);

    /// <inheritdoc/>
    public string ResolveLink(string path) => Alive().ResolveLink(path);

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder) => Alive().List(folder);

    /// <inheritdoc/>
    public IDiskFile Open(string path, bool writable = false) => new DyingFile(this, Alive().Open(path, writable));

    /// <inheritdoc/>
    public IDiskFile Create(string path, bool isPrivate = false) => new DyingFile(this, Writing().Create(path, isPrivate));

    /// <inheritdoc/>
    public void Rename(string from, string to) => Writing().Rename(from, to);

    /// <inheritdoc/>
    public void RenameNew(string from, string to) => Writing().RenameNew(from, to);

    /// <inheritdoc/>
    public void Delete(string path) => Writing().Delete(path);

    /// <inheritdoc/>
    public void CreateFolder(string path) => Writing().CreateFolder(path);

    /// <inheritdoc/>
    public void DeleteFolder(string path) => Writing().DeleteFolder(path);

    /// <inheritdoc/>
    public void FlushFolder(string folder) => Writing().FlushFolder(folder);

    /// <inheritdoc/>
    public IDisposable? TryLock(string path, bool shared) => Alive().TryLock(path, shared);

    /// <inheritdoc/>
    public long AvailableBytes(string path) => Alive().AvailableBytes(path);

    /// <inheritdoc/>
    public void CopyAccess(string from, string to) => Writing().CopyAccess(from, to);

    /// <inheritdoc/>
    public string? UnfitReason(string path) => Alive().UnfitReason(path);

    /// <inheritdoc/>
    public bool IsInMemory(string path) => Alive().IsInMemory(path);

    private IDisk Alive() => IsDead ? throw Dead() : inner;

    private IDisk Writing() => Interlocked.Decrement(ref left) < 0 ? throw Dead() : inner;

    private static CheckpointException Dead() => new(CheckpointError.DiskWriteFailed, "the process died here");

    private sealed class DyingFile(DyingDisk disk, IDiskFile inner) : IDiskFile
    {
        public string Path => inner.Path;

        public long Length => inner.Length;

        public int Read(Span<byte> buffer, long fileOffset)
        {
            disk.Alive();
            return inner.Read(buffer, fileOffset);
        }

        public void Write(ReadOnlySpan<byte> data, long fileOffset)
        {
            disk.Writing();
            inner.Write(data, fileOffset);
        }

        public void Flush()
        {
            disk.Writing();
            inner.Flush();
        }

        public void Allocate(long length)
        {
            disk.Writing();
            inner.Allocate(length);
        }

        public void SetLength(long length)
        {
            disk.Writing();
            inner.SetLength(length);
        }

        public IMapping Map()
        {
            disk.Alive();
            return inner.Map();
        }

        public void Dispose() => inner.Dispose();
    }
}
