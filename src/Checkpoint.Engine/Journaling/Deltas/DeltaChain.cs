using System.Buffers;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>
/// The deltas that lead from the oldest version that any shard still holds to the newest, opened together. Brings a chunk's bytes
/// forward, and proves the result by its digest. Thread-safe; the codec is the caller's own.
/// </summary>
internal sealed class DeltaChain : IDisposable
{
    private readonly List<DeltaReader> deltas = [];

    /// <summary>Opens the deltas of the versions after <paramref name="after"/>.</summary>
    internal DeltaChain(Journal journal, long after)
    {
        try
        {
            foreach (DeltaHeader header in journal.Versions.Where(header => header.Version > after))
            {
                deltas.Add(journal.OpenDelta(header.Version));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The deltas by ascending version.</summary>
    internal IReadOnlyList<DeltaReader> Deltas => deltas;

    /// <summary>Takes in the delta of a version that was just committed.</summary>
    internal void Add(DeltaReader delta) => deltas.Add(delta);

    /// <summary>Whether a version after <paramref name="version"/> changes the chunk.</summary>
    internal bool Touches(int ordinal, long version) => deltas.Exists(delta => delta.Header.Version > version && delta.Contains(ordinal));

    /// <summary>The usual case, which saves a digest: the shard says which version its bytes are of.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="old">Its bytes as they are.</param>
    /// <param name="version">The version they should be of.</param>
    /// <param name="bytes">Receives its bytes in the newest version; undefined if false.</param>
    /// <param name="newest">Digest of the chunk in the newest version.</param>
    /// <param name="codec">The caller's codec.</param>
    /// <returns>Whether it worked. If not, bytes or a delta are damaged; beginning from the digest of what is there finds out which.</returns>
    /// <exception cref="CheckpointException">DiskReadFailed.</exception>
    internal bool TryBringFrom(in Chunk chunk, ReadOnlySpan<byte> old, long version, Span<byte> bytes, Digest128 newest, IChunkCodec codec)
    {
        old.CopyTo(bytes);
        int first = deltas.FindIndex(delta => delta.Header.Version > version);
        try
        {
            Apply(chunk, bytes, first < 0 ? deltas.Count : first, newest, codec);
            return true;
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.JournalDamaged)
        {
            return false;
        }
    }

    /// <summary>
    /// Brings bytes to the newest version, whichever version they are of: their digest tells. This is what makes a fold idempotent from
    /// any state that a crash left.
    /// </summary>
    /// <returns>Whether anything had to be changed.</returns>
    /// <exception cref="CheckpointException">ShardForeign: they are of no version. JournalDamaged, DiskReadFailed.</exception>
    internal bool BringToNewest(in Chunk chunk, Span<byte> bytes, Digest128 newest, IChunkCodec codec)
    {
        Digest128 digest = Digest128.Of(bytes);
        if (digest == newest)
        {
            return false;
        }

        for (int i = deltas.Count - 1; i >= 0; i--)
        {
            // A repair holds absolute bytes, so it may begin from anything.
            if (deltas[i].Find(chunk.Ordinal) is { } entry && (entry.DigestBefore == digest || entry.Encoding == ChunkEncoding.Repair))
            {
                Apply(chunk, bytes, i, newest, codec);
                return true;
            }
        }

        throw ForeignBytes.At(chunk);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DeltaReader delta in deltas)
        {
            delta.Dispose();
        }
    }

    private void Apply(in Chunk chunk, Span<byte> bytes, int first, Digest128 newest, IChunkCodec codec)
    {
        for (int i = first; i < deltas.Count; i++)
        {
            if (deltas[i].Find(chunk.Ordinal) is { } entry)
            {
                ApplyOne(deltas[i], entry, chunk, bytes, codec, backward: false);
            }
        }

        if (Digest128.Of(bytes) != newest)
        {
            throw DeltaFormat.Damaged(
                deltas[^1].Path,
                $"and the deltas before it do not give tensor \"{chunk.Tensor.Name}\" of {chunk.Shard.FileName} as it was recorded"
            );
        }
    }

    /// <summary>Applies one entry in place, in either direction. The caller checks the digest of what it gives.</summary>
    internal static void ApplyOne(
        DeltaReader delta,
        in DeltaChunk entry,
        in Chunk chunk,
        Span<byte> bytes,
        IChunkCodec codec,
        bool backward
    )
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(entry.PayloadLength);
        try
        {
            ReadOnlySpan<byte> payload = delta.ReadPayload(entry, buffer);
            codec.Apply(entry.Encoding, chunk.Tensor.Type, entry.LiveType, payload, bytes, backward);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
