using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>
/// The shards opened for reading by position: a bad sector is an error (exit 16), where a mapping would end the process. Thread-safe.
/// </summary>
internal sealed class ShardFiles : IDisposable
{
    private readonly Dictionary<string, IDiskFile> files = new(StringComparer.Ordinal);

    /// <summary>Opens them all, through links where they are links.</summary>
    internal ShardFiles(IDisk disk, IEnumerable<Shard> shards)
    {
        try
        {
            foreach (Shard shard in shards)
            {
                files[shard.FileName] = disk.Open(ShardReader.RealPath(disk, shard.FilePath));
                if (files[shard.FileName].Length != shard.Length)
                {
                    throw ChangedMeanwhile(shard);
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How a shard's file looks now: length, time, inode.</summary>
    internal static FileEntry Look(IDisk disk, Shard shard) =>
        disk.Stat(ShardReader.RealPath(disk, shard.FilePath)) ?? throw ChangedMeanwhile(shard);

    /// <summary>Reads a chunk.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="buffer">At least as long as the chunk.</param>
    /// <returns>The chunk's bytes, in the buffer.</returns>
    /// <exception cref="CheckpointException">DiskReadFailed; ShardChangedMeanwhile when the file became shorter.</exception>
    internal Span<byte> Read(in Chunk chunk, Span<byte> buffer)
    {
        Span<byte> bytes = buffer[..chunk.ByteLength];
        return files[chunk.Shard.FileName].Read(bytes, chunk.FileOffset) == bytes.Length ? bytes : throw ChangedMeanwhile(chunk.Shard);
    }

    /// <summary>Reads length prefix and JSON text, and proves them.</summary>
    /// <exception cref="CheckpointException">ShardForeign: another header than the one that was planned with.</exception>
    internal byte[] ReadHeader(Shard shard)
    {
        byte[] header = new byte[shard.Header.DataStart];
        int length = files[shard.FileName].Read(header, 0);
        return length == header.Length && Digest128.Of(header) == shard.Header.Digest
            ? header
            : throw ForeignBytes.Shard(shard.FileName, "its header changed");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDiskFile file in files.Values)
        {
            file.Dispose();
        }
    }

    internal static CheckpointException ChangedMeanwhile(Shard shard) =>
        new(
            CheckpointError.ShardChangedMeanwhile,
            $"shard {shard.FileName} changed while it was read",
            "find out what writes to the model directory, then run the command again"
        );
}
