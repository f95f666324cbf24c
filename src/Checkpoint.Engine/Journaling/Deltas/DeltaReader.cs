using System.IO.Hashing;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>
/// One delta, opened for reading; everything in it is proven before use except the payloads, which the digest of the chunk they make
/// decides. Thread-safe: all reads are positional.
/// </summary>
internal sealed class DeltaReader : IDisposable
{
    private readonly IDiskFile file;
    private readonly DeltaTrailer trailer;
    private readonly DeltaIndex index;

    private DeltaReader(IDiskFile file, DeltaTrailer trailer, DeltaHeader header, DeltaIndex index)
    {
        this.file = file;
        this.trailer = trailer;
        this.index = index;
        Header = header;
    }

    /// <summary>What it says of itself.</summary>
    internal DeltaHeader Header { get; }

    /// <summary>The file.</summary>
    internal string Path => file.Path;

    /// <summary>Number of chunks that it changes.</summary>
    internal int Count => index.Count;

    /// <summary>Opens a delta of a model with this layout.</summary>
    /// <exception cref="CheckpointException">JournalDamaged, JournalTooNew, JournalForeign (another model's), DiskReadFailed.</exception>
    internal static DeltaReader Open(IDisk disk, string path, ModelLayout layout) => Open(path, name => disk.Open(name), layout);

    /// <summary>Opens one among many, whose file may be closed between two reads.</summary>
    /// <exception cref="CheckpointException">As above.</exception>
    internal static DeltaReader Open(DeltaFiles files, string path, ModelLayout layout) => Open(path, files.Open, layout);

    private static DeltaReader Open(string path, Func<string, IDiskFile> open, ModelLayout layout)
    {
        IDiskFile file = OpenFile(path, open);
        try
        {
            (DeltaTrailer trailer, DeltaHeader header) = ReadEnds(file);
            if (header.ModelIdentity != layout.Identity)
            {
                throw Foreign(path);
            }

            // An entry takes at most 10 + 1 + 4 + 10 bytes and its digests; a longer index is a lie, and is not read into memory.
            if (trailer.IndexBytes > 10 + (long)layout.ChunkCount * (25 + DeltaFormat.DigestPairBytes))
            {
                throw DeltaFormat.Damaged(path, "has an index longer than the model can need");
            }

            byte[] bytes = ReadExactly(file, trailer.HeaderOffset + trailer.HeaderBytes, trailer.IndexBytes);
            if (XxHash3.HashToUInt64(bytes) != trailer.IndexChecksum)
            {
                throw DeltaFormat.Damaged(path, "has an index whose checksum does not fit");
            }

            return new DeltaReader(file, trailer, header, DeltaIndex.Read(bytes, layout.ChunkCount, trailer.HeaderOffset, path));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The header alone.</summary>
    /// <exception cref="CheckpointException">JournalDamaged, JournalTooNew, DiskReadFailed.</exception>
    internal static DeltaHeader ReadHeader(IDisk disk, string path)
    {
        using IDiskFile file = OpenFile(path, name => disk.Open(name));
        return ReadEnds(file).Header;
    }

    /// <summary>Whether it changes that chunk.</summary>
    internal bool Contains(int ordinal) => index.Find(ordinal) >= 0;

    /// <summary>Whether it changes any of <paramref name="count"/> chunks from <paramref name="first"/> on.</summary>
    internal bool Touches(int first, int count) => index.Touches(first, count);

    /// <summary>The entry of a chunk, or null when it does not change it.</summary>
    internal DeltaChunk? Find(int ordinal)
    {
        int i = index.Find(ordinal);
        if (i < 0)
        {
            return null;
        }

        Span<byte> pair = stackalloc byte[DeltaFormat.DigestPairBytes];
        Fill(pair, DigestsOffset + (long)i * DeltaFormat.DigestPairBytes);
        return Entry(i, pair);
    }

    /// <summary>All entries by ascending ordinal.</summary>
    internal DeltaChunk[] ReadChunks()
    {
        byte[] pairs = ReadExactly(file, DigestsOffset, Count * DeltaFormat.DigestPairBytes);
        DeltaChunk[] chunks = new DeltaChunk[Count];
        for (int i = 0; i < chunks.Length; i++)
        {
            chunks[i] = Entry(i, pairs.AsSpan(i * DeltaFormat.DigestPairBytes, DeltaFormat.DigestPairBytes));
        }

        return chunks;
    }

    /// <summary>Reads a payload.</summary>
    /// <param name="chunk">One of this delta's entries.</param>
    /// <param name="buffer">At least as long as the payload.</param>
    /// <returns>The payload, in the buffer.</returns>
    internal ReadOnlySpan<byte> ReadPayload(in DeltaChunk chunk, Span<byte> buffer)
    {
        Span<byte> payload = buffer[..chunk.PayloadLength];
        Fill(payload, chunk.PayloadOffset);
        return payload;
    }

    /// <summary>Reads all payloads and compares their checksum: finds damage without the model.</summary>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    internal void VerifyPayloads(CancellationToken cancellation)
    {
        XxHash3 hash = new();
        byte[] window = new byte[Math.Min(1 << 20, trailer.HeaderOffset)];
        for (long offset = 0; offset < trailer.HeaderOffset; offset += window.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            Span<byte> part = window.AsSpan(0, (int)Math.Min(window.Length, trailer.HeaderOffset - offset));
            Fill(part, offset);
            hash.Append(part);
        }

        if (hash.GetCurrentHashAsUInt64() != trailer.PayloadChecksum)
        {
            throw DeltaFormat.Damaged(Path, "has payloads whose checksum does not fit");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private long DigestsOffset => trailer.HeaderOffset + trailer.HeaderBytes + index.DigestsOffset;

    private DeltaChunk Entry(int i, ReadOnlySpan<byte> pair) => index.At(i, Digest128.Read(pair), Digest128.Read(pair[16..]));

    private void Fill(Span<byte> buffer, long fileOffset)
    {
        if (file.Read(buffer, fileOffset) != buffer.Length)
        {
            throw DeltaFormat.Damaged(Path, "became shorter while it was read");
        }
    }

    private static (DeltaTrailer Trailer, DeltaHeader Header) ReadEnds(IDiskFile file)
    {
        long length = file.Length;
        if (length < DeltaFormat.PrologueBytes + DeltaFormat.TrailerBytes)
        {
            throw DeltaFormat.Damaged(file.Path, $"has only {length} bytes");
        }

        DeltaFormat.CheckPrologue(ReadExactly(file, 0, DeltaFormat.PrologueBytes), file.Path);
        byte[] end = ReadExactly(file, length - DeltaFormat.TrailerBytes, DeltaFormat.TrailerBytes);
        DeltaTrailer trailer = DeltaFormat.ReadTrailer(end, length, file.Path);
        byte[] head = ReadExactly(file, trailer.HeaderOffset, trailer.HeaderBytes);
        return XxHash3.HashToUInt64(head) == trailer.HeaderChecksum
            ? (trailer, DeltaFormat.ReadHeader(head, file.Path))
            : throw DeltaFormat.Damaged(file.Path, "has a header whose checksum does not fit");
    }

    private static byte[] ReadExactly(IDiskFile file, long fileOffset, int length)
    {
        byte[] bytes = new byte[length];
        return file.Read(bytes, fileOffset) == length ? bytes : throw DeltaFormat.Damaged(file.Path, "became shorter while it was read");
    }

    private static IDiskFile OpenFile(string path, Func<string, IDiskFile> open)
    {
        try
        {
            return open(path);
        }
        catch (FileNotFoundException e)
        {
            throw DeltaFormat.Damaged(path, "is missing", e);
        }
    }

    private static CheckpointException Foreign(string path) =>
        new(
            CheckpointError.JournalForeign,
            $"{path} belongs to a model with other tensors",
            "move the file out of the journal; or, if the model files were replaced on purpose, apollo-checkpoint adopt"
        );
}
