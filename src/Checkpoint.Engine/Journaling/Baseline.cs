using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling;

/// <summary>
/// The bytes of the newest version, chunk by chunk: straight from the shard where the shard has them, else the shard's bytes
/// with a pending redo laid over and the unfolded deltas applied in order, which <see cref="BaselineCache"/> may have ready. Thread-safe with one scratch buffer and codec a worker.
/// <para>
/// Read by position and not through a mapping: a fresh mapping pays a page fault for every few pages, which in a virtual machine costs
/// five times what the copy costs, and a bad sector under a mapping would end the process.
/// </para>
/// <para>
/// The shard's own bytes are not checked here: the scan computes the digest of every chunk that it codes anyway, and compares it with
/// <see cref="JournalSession.NewestDigest"/>. Bytes that were computed are checked.
/// </para>
/// Dispose it before a fold, which may put other files in the place of the opened ones.
/// </summary>
internal sealed class Baseline(JournalSession session) : IDisposable
{
    private readonly ShardFiles shards = new(session.Disk, session.Layout.Shards);

    /// <summary>The bytes of a chunk in the newest version; of a damaged chunk (<see cref="JournalSession.IsDamaged"/>), what is there.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="scratch">At least as long as the chunk.</param>
    /// <param name="codec">The caller's codec; only its decoding side is used.</param>
    /// <returns>The chunk's bytes, in the scratch.</returns>
    /// <exception cref="CheckpointException">ShardForeign (unless repairing), JournalDamaged, DiskReadFailed, ShardChangedMeanwhile.</exception>
    internal ReadOnlySpan<byte> Read(in Chunk chunk, Span<byte> scratch, IChunkCodec codec)
    {
        bool isMixed = session.IsMixed(chunk.Shard);
        if (session.IsDamaged(chunk.Ordinal) || (!isMixed && !session.IsUnfolded(chunk)))
        {
            return shards.Read(chunk, scratch);
        }

        Span<byte> bytes = scratch[..chunk.ByteLength];
        if (session.Ready?.TryRead(chunk, bytes) ?? false)
        {
            return bytes;
        }

        if (isMixed || !TryBringFromKnown(chunk, bytes, codec))
        {
            shards.Read(chunk, bytes);
            session.LayRedoOver(chunk, bytes);
            try
            {
                session.Chain.BringToNewest(chunk, bytes, session.NewestDigest(chunk.Ordinal), codec);
            }
            catch (CheckpointException e) when (e.Error == CheckpointError.ShardForeign && session.Options.Repair)
            {
                // Damage that shows only now, because the file looks as it did. The scan sees by the digest that it must be repaired.
                return shards.Read(chunk, bytes);
            }
        }

        return bytes;
    }

    /// <inheritdoc/>
    public void Dispose() => shards.Dispose();

    /// <summary>The usual case, which saves a digest: the shard says which version its chunks are of.</summary>
    private bool TryBringFromKnown(in Chunk chunk, Span<byte> bytes, IChunkCodec codec)
    {
        shards.Read(chunk, bytes);
        try
        {
            long version = session.RecordOf(chunk.Shard).Version;
            session.Chain.BringFrom(chunk, bytes, version, session.NewestDigest(chunk.Ordinal), codec);
            return true;
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.JournalDamaged)
        {
            // Wrong bytes or a damaged delta: starting from the digest of what is there finds out which.
            return false;
        }
    }
}
