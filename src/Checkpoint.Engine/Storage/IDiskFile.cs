namespace ApolloCheckpoint.Engine.Storage;

/// <summary>An open file. All access is positional; nothing here moves a cursor, so that threads may share it.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>The path it was opened under.</summary>
    string Path { get; }

    /// <summary>Bytes of the file now.</summary>
    long Length { get; }

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    /// <returns>Bytes read; fewer than the buffer only at the end of the file.</returns>
    int Read(Span<byte> buffer, long fileOffset);

    /// <summary>Writes all of it; the file grows when it must.</summary>
    void Write(ReadOnlySpan<byte> data, long fileOffset);

    /// <summary>Makes everything written so far durable (fsync). After a failure the file must be given up, never flushed again.</summary>
    void Flush();

    /// <summary>
    /// Reserves space up to that length, so that later writes below it cannot meet a full disk. The file is then at least that long,
    /// the new part zeros; it never shrinks.
    /// </summary>
    void Allocate(long length);

    /// <summary>Sets the length of a file that this program created; never called on a shard.</summary>
    void SetLength(long length);

    /// <summary>Maps the whole file for reading. A bad sector under a mapping is SIGBUS: only the scan uses it.</summary>
    IMapping Map();
}
