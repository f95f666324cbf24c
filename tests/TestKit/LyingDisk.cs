using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit;

/// <summary>A disk that lies about some files: it keeps other bytes than were written to them, or calls them longer than they are.</summary>
/// <param name="inner">The disk underneath.</param>
public sealed class LyingDisk(IDisk inner) : IDisk
{
    /// <summary>Files, by the end of their path, whose writes it spoils.</summary>
    public string? Spoils { get; set; }

    /// <summary>Files, by the end of their path, that it says have a byte more.</summary>
    public string? Lengthens { get; set; }

    /// <inheritdoc/>
    public FileEntry? Stat(string path) => inner.Stat(path);

    /// <inheritdoc/>
    public string ResolveLink(string path) => inner.ResolveLink(path);

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder) => inner.List(folder);

    /// <inheritdoc/>
    public IDiskFile Open(string path, bool writable = false) => new LyingFile(this, inner.Open(path, writable));

    /// <inheritdoc/>
    public IDiskFile Create(string path, bool isPrivate = false) => new LyingFile(this, inner.Create(path, isPrivate));

    /// <inheritdoc/>
    public void Rename(string from, string to) => inner.Rename(from, to);

    /// <inheritdoc/>
    public void RenameNew(string from, string to) => inner.RenameNew(from, to);

    /// <inheritdoc/>
    public void Delete(string path) => inner.Delete(path);

    /// <inheritdoc/>
    public void CreateFolder(string path) => inner.CreateFolder(path);

    /// <inheritdoc/>
    public void DeleteFolder(string path) => inner.DeleteFolder(path);

    /// <inheritdoc/>
    public void FlushFolder(string folder) => inner.FlushFolder(folder);

    /// <inheritdoc/>
    public IDisposable? TryLock(string path, bool shared) => inner.TryLock(path, shared);

    /// <inheritdoc/>
    public long AvailableBytes(string path) => inner.AvailableBytes(path);

    private static bool Is(string path, string? end) => end is not null && path.EndsWith(end, StringComparison.Ordinal);

    private sealed class LyingFile(LyingDisk disk, IDiskFile inner) : IDiskFile
    {
        public string Path => inner.Path;

        public long Length => inner.Length + (Is(Path, disk.Lengthens) ? 1 : 0);

        public int Read(Span<byte> buffer, long fileOffset) => inner.Read(buffer, fileOffset);

        public void Write(ReadOnlySpan<byte> data, long fileOffset)
        {
            byte[] kept = data.ToArray();
            kept[0] ^= (byte)(Is(Path, disk.Spoils) ? 1 : 0);
            inner.Write(kept, fileOffset);
        }

        public void Flush() => inner.Flush();

        public void Allocate(long length) => inner.Allocate(length);

        public void SetLength(long length) => inner.SetLength(length);

        public IMapping Map() => inner.Map();

        public void Dispose() => inner.Dispose();
    }
}
