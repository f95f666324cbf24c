using System.IO.Hashing;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>A whole redo file of this history and this shard, proven. Laying it over is thread-safe.</summary>
internal sealed class RedoReader : IDisposable
{
    private readonly IDiskFile file;
    private readonly SortedDictionary<int, RedoRecord> records = [];

    private RedoReader(IDiskFile file) => this.file = file;

    /// <summary>The version that its chunks are of.</summary>
    internal long Version { get; private set; }

    /// <summary>Its chunks by ascending ordinal.</summary>
    internal IReadOnlyCollection<int> Ordinals => records.Keys;

    /// <summary>Opens a redo, or says null: missing, incomplete, or of another history, model or shard. Such a file is never applied.</summary>
    internal static RedoReader? TryOpen(IDisk disk, string path, Digest128 lineage, ModelLayout layout, Shard shard)
    {
        if (disk.Stat(path) is not { Kind: FileEntryKind.File })
        {
            return null;
        }

        RedoReader reader = new(disk.Open(path));
        try
        {
            if (reader.ChecksumHolds() && reader.TryReadHead(lineage, layout, shard, out long first))
            {
                reader.ReadRecords(first, layout, shard);
                return reader;
            }
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.JournalDamaged)
        {
            // Not whole, so it is nothing; its shard was not touched because of it.
        }

        reader.Dispose();
        return null;
    }

    /// <summary>Digest that a chunk of it has afterwards.</summary>
    internal Digest128 DigestAfter(int ordinal) => records[ordinal].DigestAfter;

    /// <summary>Lays its values over a chunk's bytes; does nothing to a chunk that it does not hold.</summary>
    internal void LayOver(in Chunk chunk, Span<byte> bytes)
    {
        if (records.TryGetValue(chunk.Ordinal, out RedoRecord? record))
        {
            long position = record.DataOffset;
            foreach ((int offset, int length) in record.Ranges)
            {
                Fill(bytes.Slice(offset, length), position);
                position += length;
            }
        }
    }

    /// <summary>Which parts of a chunk it holds: offset inside the chunk and length, bytes.</summary>
    internal IReadOnlyList<(int Offset, int Length)> RangesOf(int ordinal) => records[ordinal].Ranges;

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private bool ChecksumHolds()
    {
        long end = file.Length - RedoFormat.TrailerBytes + 4;
        if (end < 4)
        {
            return false;
        }

        byte[] trailer = new byte[RedoFormat.TrailerBytes - 4];
        Fill(trailer, end);
        FieldReader fields = new(trailer, file.Path);
        Digest128 expected = fields.U128();
        if (!fields.Take(8).SequenceEqual(RedoFormat.EndMagic))
        {
            return false;
        }

        XxHash128 hash = new();
        byte[] window = new byte[Math.Min(1 << 20, end)];
        for (long offset = 0; offset < end; offset += window.Length)
        {
            Span<byte> part = window.AsSpan(0, (int)Math.Min(window.Length, end - offset));
            Fill(part, offset);
            hash.Append(part);
        }

        return Digest128.Of(hash) == expected;
    }

    private bool TryReadHead(Digest128 lineage, ModelLayout layout, Shard shard, out long firstRecord)
    {
        byte[] head = new byte[(int)Math.Min(file.Length, 8192)];
        Fill(head, 0);
        FieldReader fields = new(head, file.Path);
        bool isOurs =
            fields.Take(8).SequenceEqual(RedoFormat.Magic)
            && fields.U16() == RedoFormat.FormatVersion
            && fields.U16() == 0
            && fields.U128() == lineage
            && fields.U128() == layout.Identity;
        Version = isOurs ? fields.Bounded(fields.U64(), long.MaxValue, "its version") : 0;
        bool isForShard = isOurs && fields.Text(4096) == shard.FileName;
        firstRecord = head.Length - fields.Left;
        return isForShard;
    }

    private void ReadRecords(long position, ModelLayout layout, Shard shard)
    {
        (int first, int count) = layout.ChunksOf(shard);
        long end = file.Length - RedoFormat.TrailerBytes;
        int previous = first - 1;
        while (position < end)
        {
            byte[] head = ReadBytes(position, RedoFormat.RecordHeadBytes, end);
            FieldReader fields = new(head, file.Path);
            int ordinal = (int)fields.Bounded(fields.U32(), first + count - 1L, "a chunk");
            Digest128 digest = fields.U128();
            Chunk chunk = ordinal > previous ? layout[ordinal] : throw fields.Damaged("has chunks out of order");
            int ranges = (int)fields.Bounded(fields.U32(), chunk.ByteLength, "a number of ranges");
            position += head.Length;
            RedoRecord record = new(
                digest,
                ReadRanges(ReadBytes(position, ranges * RedoFormat.RangeBytes, end), chunk),
                position + (long)ranges * RedoFormat.RangeBytes
            );
            position = record.DataOffset + record.Ranges.Sum(range => (long)range.Length);
            records[ordinal] = record;
            previous = ordinal;
        }

        byte[] total = new byte[4];
        Fill(total, end);
        if (position != end || new FieldReader(total, file.Path).U32() != records.Count)
        {
            throw DeltaFormat.Damaged(file.Path, "does not hold as much as it says");
        }
    }

    private (int Offset, int Length)[] ReadRanges(byte[] bytes, in Chunk chunk)
    {
        FieldReader fields = new(bytes, file.Path);
        (int, int)[] ranges = new (int, int)[bytes.Length / RedoFormat.RangeBytes];
        int end = 0;
        for (int i = 0; i < ranges.Length; i++)
        {
            int offset = (int)fields.Bounded(fields.U32(), chunk.ByteLength, "where a range begins");
            int length = (int)fields.Bounded(fields.U32(), chunk.ByteLength - offset, "the length of a range");
            ranges[i] = offset >= end ? (offset, length) : throw fields.Damaged("has ranges out of order");
            end = offset + length;
        }

        return ranges;
    }

    private byte[] ReadBytes(long fileOffset, int length, long end)
    {
        byte[] bytes = length <= end - fileOffset ? new byte[length] : throw DeltaFormat.Damaged(file.Path, "ends inside a record");
        Fill(bytes, fileOffset);
        return bytes;
    }

    private void Fill(Span<byte> buffer, long fileOffset)
    {
        if (file.Read(buffer, fileOffset) != buffer.Length)
        {
            throw DeltaFormat.Damaged(file.Path, "ends too early");
        }
    }
}
