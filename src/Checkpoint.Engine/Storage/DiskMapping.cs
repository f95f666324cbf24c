namespace ApolloCheckpoint.Engine.Storage;

/// <summary>A read-only shared mapping of a file, made by mmap itself: one view, whatever the length, and no pointer counting.</summary>
internal sealed unsafe class DiskMapping : IMapping
{
    private const int ProtectionRead = 1;
    private const int MapShared = 1;
    private const int AdviceSequential = 2;
    private const int AdviceHugePage = 14;
    private const int AdvicePopulateRead = 22;
    private byte* start;

    private DiskMapping(byte* start, long length)
    {
        this.start = start;
        Length = length;
    }

    /// <inheritdoc/>
    public long Length { get; }

    internal static DiskMapping Create(DescriptorHandle handle, long length, string path)
    {
        if (length == 0)
        {
            return new DiskMapping(null, 0);
        }

        byte* start = Libc.Mmap(0, (nint)length, ProtectionRead, MapShared, handle.Value, 0);
        if ((nint)start == -1)
        {
            throw DiskErrors.Last("mmap", path, isRead: true);
        }

        // Only hints; nothing depends on them. The second has a file that is not in the page cache yet brought there in large folios, which
        // every later reader maps many pages at a time.
        _ = Libc.Madvise(start, (nint)length, AdviceSequential);
        _ = Libc.Madvise(start, (nint)length, AdviceHugePage);
        return new DiskMapping(start, length);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Span(long fileOffset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fileOffset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fileOffset, Length - length);
        ObjectDisposedException.ThrowIf(start is null && Length > 0, this);
        return new ReadOnlySpan<byte>(start + fileOffset, length);
    }

    /// <inheritdoc/>
    public void Populate(long fileOffset, int length)
    {
        if (length > 0)
        {
            // The kernel wants whole pages. One that does not know the advice (before 5.14) brings pages in one fault at a time.
            byte* first = start + (fileOffset & ~(long)(Environment.SystemPageSize - 1));
            _ = Libc.Madvise(first, (nint)(start + fileOffset + length - first), AdvicePopulateRead);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (start is not null)
        {
            _ = Libc.Munmap(start, (nint)Length);
            start = null;
        }
    }
}
