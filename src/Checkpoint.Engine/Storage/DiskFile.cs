using System.Runtime.InteropServices;

namespace ApolloCheckpoint.Engine.Storage;

/// <summary>A file of the real disk.</summary>
internal sealed unsafe class DiskFile(string path, DescriptorHandle handle) : IDiskFile
{
    /// <inheritdoc/>
    public string Path => path;

    /// <summary>
    /// A path at which a child process of the same user can open this very file while it is open here, whatever stands at its name by then.
    /// </summary>
    internal string PathForChild => $"/proc/{Environment.ProcessId}/fd/{handle.Value}";

    /// <inheritdoc/>
    public long Length
    {
        get
        {
            if (Libc.Statx(handle.Value, "", Libc.AT_EMPTY_PATH, Libc.STATX_BASIC_STATS, out Libc.StatxBuffer stat) != 0)
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
                    ThrowUnlessInterrupted("pwrite");
                    continue;
                }

                if (count == 0)
                {
                    // A device that takes nothing and says nothing: never loop on it.
                    throw DiskErrors.For(Libc.EIO, "pwrite", path);
                }

                done += (int)count;
            }
        }
    }

    /// <inheritdoc/>
    public void Flush()
    {
        // Not retried, not even when interrupted: after a failure the kernel may have marked the pages clean.
        if (Libc.Fsync(handle.Value) != 0)
        {
            throw DiskErrors.Last("fsync", path);
        }
    }

    /// <inheritdoc/>
    public void Allocate(long length)
    {
        int errno;
        do
        {
            errno = length <= 0 ? 0 : Libc.PosixFallocate(handle.Value, 0, length);
        } while (errno == Libc.EINTR);

        if (errno is Libc.EOPNOTSUPP or Libc.EINVAL)
        {
            // Some file systems cannot reserve; then the write itself meets the full disk, which is handled too.
            SetLength(Math.Max(length, Length));
        }
        else if (errno != 0)
        {
            throw DiskErrors.For(errno, "fallocate", path);
        }
    }

    /// <inheritdoc/>
    public void SetLength(long length)
    {
        while (Libc.Truncate(handle.Value, length) != 0)
        {
            ThrowUnlessInterrupted("ftruncate");
        }
    }

    /// <inheritdoc/>
    public IMapping Map() => DiskMapping.Create(handle, Length, path);

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    private void ThrowUnlessInterrupted(string call, bool isRead = false)
    {
        int errno = Marshal.GetLastPInvokeError();
        if (errno != Libc.EINTR)
        {
            throw DiskErrors.For(errno, call, path, isRead);
        }
    }
}
