using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>
/// Writes a durable redo into its shard, on all cores: every chunk whose result has the digest that it must have. A chunk whose result
/// has not was changed by something else since, and is left as it is.
/// </summary>
internal sealed class RedoApplication(ModelLayout layout, Shard shard, RedoReader redo, int workers)
{
    private readonly List<int> foreign = [];
    private long bytesWritten;

    /// <summary>Bytes written into the shard.</summary>
    internal long BytesWritten => bytesWritten;

    /// <summary>Ordinals of chunks that were left as they are.</summary>
    internal IReadOnlyList<int> Foreign => foreign;

    /// <summary>Writes, flushes, and proves what was written. The caller holds the shards' lock.</summary>
    /// <exception cref="CheckpointException">
    /// 15xx, DiskReadFailed; ShardForeign: something else wrote into the shard meanwhile. The redo is as good as before.
    /// </exception>
    internal void Run(IDisk disk)
    {
        using IDiskFile file = disk.Open(shard.FilePath, writable: true);
        using ShardFiles files = new(disk, [shard]);
        ForEachChunk([.. redo.Ordinals], (chunk, buffer) => Write(file, chunk, files.Read(chunk, buffer)));
        file.Flush();
        ForEachChunk([.. redo.Ordinals.Except(foreign)], (chunk, buffer) => Prove(file, chunk, buffer));
    }

    /// <summary>From its first byte on it is not cancelled: a part of a redo is nothing that could be left.</summary>
    private void ForEachChunk(IReadOnlyList<int> ordinals, Action<Chunk, byte[]> work) =>
        ChunkWorkers.Run(
            ordinals,
            workers,
            () => new byte[2 * layout.LargestChunkBytes],
            (ordinal, buffer) => work(layout[ordinal], buffer),
            CancellationToken.None
        );

    /// <summary>Equal bytes are written, too: what the page cache shows may not be what the disk holds.</summary>
    private void Write(IDiskFile file, in Chunk chunk, Span<byte> bytes)
    {
        redo.LayOver(chunk, bytes);
        if (Digest128.Of(bytes) != redo.DigestAfter(chunk.Ordinal))
        {
            lock (foreign)
            {
                foreign.Add(chunk.Ordinal);
            }

            return;
        }

        foreach ((int offset, int length) in redo.RangesOf(chunk.Ordinal))
        {
            file.Write(bytes.Slice(offset, length), chunk.FileOffset + offset);
            Interlocked.Add(ref bytesWritten, length);
        }
    }

    /// <summary>Reads back what was written. The rest of the chunk was proven by the digest, together with this, before the write.</summary>
    private void Prove(IDiskFile file, in Chunk chunk, byte[] buffer)
    {
        Span<byte> expected = buffer.AsSpan(0, chunk.ByteLength);
        Span<byte> found = buffer.AsSpan(chunk.ByteLength);
        redo.LayOver(chunk, expected);
        foreach ((int offset, int length) in redo.RangesOf(chunk.Ordinal))
        {
            bool isThere = file.Read(found[..length], chunk.FileOffset + offset) == length;
            if (!isThere || !found[..length].SequenceEqual(expected.Slice(offset, length)))
            {
                throw ForeignBytes.At(chunk);
            }
        }
    }
}
