using System.IO.Hashing;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>Writes the redo of one slice of one shard (<see cref="RedoFormat"/>) and makes it durable before the shard is touched.</summary>
internal sealed class RedoWriter : IDisposable
{
    private readonly IDisk disk;
    private readonly StatePaths paths;
    private readonly IDiskFile file;
    private readonly XxHash128 checksum = new();
    private long position;
    private uint records;

    private RedoWriter(IDisk disk, StatePaths paths, IDiskFile file)
    {
        this.disk = disk;
        this.paths = paths;
        this.file = file;
    }

    /// <summary>Number of chunks in it.</summary>
    internal int Count => (int)records;

    /// <summary>Bytes written so far.</summary>
    internal long BytesWritten => position;

    /// <summary>Begins a redo and reserves space for it, so that a full disk shows before anything is promised.</summary>
    internal static RedoWriter Create(JournalSession session, Shard shard, long reserveBytes)
    {
        if (session.Disk.Stat(session.Paths.WritingRedo) is not null)
        {
            session.Disk.Delete(session.Paths.WritingRedo);
        }

        IDiskFile file = session.Disk.Create(session.Paths.WritingRedo, isPrivate: true);
        RedoWriter writer = new(session.Disk, session.Paths, file);
        try
        {
            file.Allocate(reserveBytes);
            FieldWriter fields = new();
            fields.Bytes(RedoFormat.Magic);
            fields.U16(RedoFormat.FormatVersion);
            fields.U16(0);
            fields.U128(session.Lineage);
            fields.U128(session.Layout.Identity);
            fields.I64(session.Newest);
            fields.Text(shard.FileName);
            writer.Append(fields.Written);
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Adds a chunk. Ordinals ascend.</summary>
    /// <param name="ordinal">The chunk.</param>
    /// <param name="digestAfter">Its digest in the version that the redo leads to.</param>
    /// <param name="ranges">What differs from the shard, from <see cref="Diffing.DirtyPages"/>.</param>
    /// <param name="after">All bytes of the chunk in that version.</param>
    internal void Add(int ordinal, Digest128 digestAfter, IReadOnlyList<(int Offset, int Length)> ranges, ReadOnlySpan<byte> after)
    {
        AppendHead(ordinal, digestAfter, ranges);
        foreach ((int offset, int length) in ranges)
        {
            Append(after.Slice(offset, length));
        }

        records++;
    }

    /// <summary>As above, of pages that are at hand.</summary>
    internal void Add(FreshChunk chunk, Digest128 digestAfter)
    {
        AppendHead(chunk.Ordinal, digestAfter, chunk.Ranges);
        Append(chunk.Values);
        records++;
    }

    /// <summary>Makes it durable under the shard's name, in the place of the slice before. From now on the shard may be written.</summary>
    internal void Seal(Shard shard)
    {
        FieldWriter fields = new();
        fields.U32(records);
        Append(fields.Written);
        FieldWriter end = new();
        end.U128(Digest128.Of(checksum));
        end.Bytes(RedoFormat.EndMagic);
        Append(end.Written);
        file.SetLength(position);
        file.Flush();
        file.Dispose();
        disk.Rename(paths.WritingRedo, paths.RedoOf(shard.FileName));
        disk.FlushFolder(paths.Redo);
    }

    /// <summary>Closes the file; what was not sealed is deleted by the next redo or by recovery.</summary>
    public void Dispose() => file.Dispose();

    private void AppendHead(int ordinal, Digest128 digestAfter, IReadOnlyList<(int Offset, int Length)> ranges)
    {
        FieldWriter fields = new();
        fields.U32((uint)ordinal);
        fields.U128(digestAfter);
        fields.U32((uint)ranges.Count);
        foreach ((int offset, int length) in ranges)
        {
            fields.U32((uint)offset);
            fields.U32((uint)length);
        }

        Append(fields.Written);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        file.Write(bytes, position);
        checksum.Append(bytes);
        position += bytes.Length;
    }
}
