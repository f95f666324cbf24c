using System.Diagnostics;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.Baselines;

/// <summary>
/// The bytes of the newest version, chunk by chunk: straight from the shard where it has them (by a mapping or by position,
/// <see cref="CheaperWay"/>), else the shard's bytes with a pending redo laid over and the unfolded deltas applied in order, which
/// <see cref="BaselineCache"/> may have ready. Thread-safe with one scratch buffer and codec a worker.
/// <para>
/// Bytes of the shard are not checked here: the scan computes the digest of every chunk that it codes anyway, and compares it with
/// <see cref="JournalSession.NewestDigest"/>. Bytes that were computed are checked.
/// </para>
/// Dispose it before a fold, which may put other files in the place of the mapped ones.
/// </summary>
internal sealed class Baseline : IDisposable
{
    private readonly JournalSession session;
    private readonly CheaperWay way = new();
    private readonly Dictionary<string, (IDiskFile File, IMapping Mapping)> shards = new(StringComparer.Ordinal);

    internal Baseline(JournalSession session)
    {
        this.session = session;
        try
        {
            foreach (Shard shard in session.Layout.Shards)
            {
                IDiskFile file = session.Disk.Open(ShardReader.RealPath(session.Disk, shard.FilePath));
                IMapping mapping = file.Map();
                shards[shard.FileName] = (file, mapping);
                if (mapping.Length != shard.Length)
                {
                    throw ShardFiles.ChangedMeanwhile(shard);
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The bytes of a chunk in the newest version; of a damaged chunk (<see cref="JournalSession.IsDamaged"/>), what is there.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="scratch">At least as long as the chunk; may or may not be used.</param>
    /// <param name="codec">The caller's codec; only its decoding side is used.</param>
    /// <returns>Bytes that stay valid until the scratch is reused or this is disposed.</returns>
    /// <exception cref="CheckpointException">ShardForeign (unless repairing), JournalDamaged, DiskReadFailed.</exception>
    internal ReadOnlySpan<byte> Read(in Chunk chunk, Span<byte> scratch, IChunkCodec codec)
    {
        bool isMixed = session.IsMixed(chunk.Shard);
        if (session.IsDamaged(chunk.Ordinal) || (!isMixed && !session.IsUnfolded(chunk)))
        {
            return BringIn(chunk, scratch);
        }

        Span<byte> bytes = scratch[..chunk.ByteLength];
        if (session.Ready?.TryRead(chunk, bytes) ?? false)
        {
            return bytes;
        }

        Digest128 newest = session.NewestDigest(chunk.Ordinal);
        long version = session.RecordOf(chunk.Shard).Version;
        if (!isMixed && session.Chain.TryBringFrom(chunk, BringIn(chunk, scratch), version, bytes, newest, codec))
        {
            return bytes;
        }

        Mapped(chunk).CopyTo(bytes);
        session.LayRedoOver(chunk, bytes);
        try
        {
            session.Chain.BringToNewest(chunk, bytes, newest, codec);
            return bytes;
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.ShardForeign && session.Options.Repair)
        {
            // Damage that shows only now, because the file looks as it did. The scan sees by the digest that it must be repaired.
            return Mapped(chunk);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((IDiskFile file, IMapping mapping) in shards.Values)
        {
            mapping.Dispose();
            file.Dispose();
        }
    }

    private ReadOnlySpan<byte> Mapped(in Chunk chunk) => shards[chunk.Shard.FileName].Mapping.Span(chunk.FileOffset, chunk.ByteLength);

    /// <summary>The bytes as the shard has them, in the mapping or in the scratch buffer.</summary>
    private ReadOnlySpan<byte> BringIn(in Chunk chunk, Span<byte> scratch)
    {
        (IDiskFile file, IMapping mapping) = shards[chunk.Shard.FileName];
        bool isMapping = way.IsMapping();
        long begin = Stopwatch.GetTimestamp();
        if (isMapping)
        {
            // One call instead of a page fault for every few pages, which in a virtual machine costs more than the comparison.
            mapping.Populate(chunk.FileOffset, chunk.ByteLength);
        }
        else if (file.Read(scratch[..chunk.ByteLength], chunk.FileOffset) != chunk.ByteLength)
        {
            throw ShardFiles.ChangedMeanwhile(chunk.Shard);
        }

        way.Measured(isMapping, Stopwatch.GetTimestamp() - begin, chunk.ByteLength);
        return isMapping ? Mapped(chunk) : scratch[..chunk.ByteLength];
    }
}
