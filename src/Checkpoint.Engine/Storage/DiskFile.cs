using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Storage;

/// <summary>A file of the real disk.</summary>
internal sealed unsafe class DiskFile(string path, DescriptorHandle handle) : IDiskFile
{
    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public long Length
    {
        get
        {
            const int AtEmptyPath = 0x1000;
            if (Libc.Statx(handle.Value, "", AtEmptyPath, Libc.STATX_BASIC_STATS, out Libc.StatxBuffer stat) != 0)
            {
                throw DiskErrors.Last("stat", path, isRead: true);
            }

            return (long)stat.Size;
        }
    }

    /// <inheritdoc/>
    public int Read(Span<byte> buffer, long fileOffset)
    {
        int done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                nint count = Libc.Pread(handle.Value, start + done, buffer.Length - done, fileOffset + done);
                if (count == 0)
                {
                    break;
                }

                if (count < 0)
                {
                    ThrowUnlessInterrupted("pread", isRead: true);
                    continue;
                }

                done += (int)count;
            }
        }

        return done;
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> data, long fileOffset)
    {
        int done = 0;
        fixed (byte* start = data)
        {
            while (done < data.Length)
            {
                nint count = Libc.Pwrite(handle.Value, start + done, data.Length - done, fileOffset + done);
                if (count < 0)
                {
                    ThrowUnlessInterrupted("pwrite", isRead: false);
                    continue;
                }

                done += (int)count;
            }
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
        if (Libc.Fsync(handle.Value) != 0)
        {
            throw DiskErrors.Last("fsync", path);
        }
    }

    /// <inheritdoc/>
    public void Allocate(long length)
    {
        int errno = length <= 0 ? 0 : Libc.PosixFallocate(handle.Value, 0, length);
        // Some file systems cannot reserve; then the write itself meets the full disk, which is handled too.
        if (errno is not 0 and not Libc.EOPNOTSUPP and not Libc.EINVAL)
        {
            throw DiskErrors.For(errno, "fallocate", path);
        }
    }

    /// <inheritdoc/>
    public void SetLength(long length)
    {
        if (Libc.Truncate(handle.Value, length) != 0)
        {
            throw DiskErrors.Last("ftruncate", path);
        }
    }

    /// <inheritdoc/>
    public IMapping Map() => DiskMapping.Create(handle, Length, path);

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    private void ThrowUnlessInterrupted(string call, bool isRead)
    {
        int errno = Marshal.GetLastPInvokeError();
        if (errno != Libc.EINTR)
        {
            throw DiskErrors.For(errno, call, path, isRead);
        }
    }
}
