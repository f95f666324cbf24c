using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>An open file of a <see cref="CrashingDisk"/>.</summary>
internal sealed class CrashingFile(CrashingDisk disk, CrashNode node, string path, bool writable) : IDiskFile
{
    private bool isDisposed;

    public string Path => path;

    public long Length
    {
        get
        {
            lock (disk.Gate)
            {
                return Node.Content.Length;
            }
        }
    }

    private CrashNode Node => isDisposed ? throw new ObjectDisposedException(path) : node;

    public int Read(Span<byte> buffer, long fileOffset)
    {
        lock (disk.Gate)
        {
            int count = (int)Math.Clamp(Node.Content.Length - fileOffset, 0, buffer.Length);
            if (node.BadRanges.Exists(range => range.Begin < fileOffset + count && fileOffset < range.End))
            {
                throw DiskErrors.For(Libc.EIO, "pread", path, isRead: true);
            }

            if (count > 0)
            {
                node.Content.Read(buffer[..count], (int)fileOffset);
            }

            return count;
        }
    }

    public void Write(ReadOnlySpan<byte> data, long fileOffset)
    {
        lock (disk.Gate)
        {
            int offset = checked((int)fileOffset);
            RequireWritable("pwrite");
            disk.RequireSpace(Math.Max(0, offset + data.Length - Node.Content.Length), "pwrite", path);
            if (disk.Begin(DiskOperationKind.Write, path) is { } fault)
            {
                node.Content.Write(data[..(fault == DiskFaultKind.ShortWrite ? data.Length / 2 : 0)], offset);
                throw CrashingDisk.Failure(fault, "pwrite", path);
            }

            node.Content.Write(data, offset);
            disk.End(DiskOperationKind.Write, path, node, fileOffset, data.Length);
        }
    }

    public void Flush()
    {
        lock (disk.Gate)
        {
            if (disk.Begin(DiskOperationKind.Flush, path) is { } fault)
            {
                Node.Content.FailFlush();
                throw CrashingDisk.Failure(fault, "fsync", path);
            }

            CrashContent content = Node.Content;
            disk.Perform(content.Flush);
            disk.End(DiskOperationKind.Flush, path);
        }
    }

    public void Allocate(long length)
    {
        lock (disk.Gate)
        {
            RequireWritable("fallocate");
            disk.RequireSpace(Math.Max(0, length - Node.Content.Length), "fallocate", path);
            Change(DiskOperationKind.Allocate, "fallocate", Math.Max(length, node.Content.Length));
        }
    }

    public void SetLength(long length)
    {
        lock (disk.Gate)
        {
            RequireWritable("ftruncate");
            Change(DiskOperationKind.SetLength, "ftruncate", length);
        }
    }

    public IMapping Map() => new Mapping(disk.Gate, Node.Content, Length);

    public void Dispose() => isDisposed = true;

    private void Change(DiskOperationKind kind, string call, long length)
    {
        if (disk.Begin(kind, path) is { } fault)
        {
            throw CrashingDisk.Failure(fault, call, path);
        }

        Node.Content.SetLength(checked((int)length));
        disk.End(kind, path, node, 0, length);
    }

    private void RequireWritable(string call)
    {
        const int BadDescriptor = 9;
        if (!writable)
        {
            throw DiskErrors.For(BadDescriptor, call, path);
        }
    }

    /// <summary>Looks at the file's own array, so that writes are seen.</summary>
    private sealed class Mapping(object gate, CrashContent content, long length) : IMapping
    {
        public long Length => length;

        public ReadOnlySpan<byte> Span(long fileOffset, int count)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(fileOffset);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(fileOffset, Length - count);
            lock (gate)
            {
                return content.Whole().Slice((int)fileOffset, count);
            }
        }

        public void Dispose() { }
    }
}
