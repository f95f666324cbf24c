using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>
/// Brings a chunk's bytes to one wanted version, from whichever version they are of: their digest tells. Deltas go both ways (invariant
/// 2), so older versions are reached backward from the files and unfolded ones forward. Every result is proven by its digest.
/// Deltas are opened when they are needed and not more than some at once (<see cref="DeltaFiles"/>). Thread-safe; the codec is the caller's own.
/// </summary>
internal sealed class VersionWalk : IDisposable
{
    private readonly JournalSession session;
    private readonly List<DeltaReader> deltas = [];

    /// <summary>Opens the deltas between the wanted version and whatever the shards hold.</summary>
    /// <param name="session">The opened model.</param>
    /// <param name="target">The wanted version.</param>
    /// <param name="isFromAnywhere">Open all deltas: bytes of any version will be given (a mirror's), not only the shards'.</param>
    /// <exception cref="CheckpointException">VersionUnknown: history does not reach it. JournalDamaged.</exception>
    internal VersionWalk(JournalSession session, long target, bool isFromAnywhere = false)
    {
        this.session = session;
        Target = target;
        long oldest = session.Journal.First?.Parent ?? session.Newest;
        if (target < oldest || target > session.Newest)
        {
            throw new CheckpointException(
                CheckpointError.VersionUnknown,
                $"version {target} is not in the history of {session.Paths.Model}, which reaches from {oldest} to {session.Newest}",
                "apollo-checkpoint log lists the versions"
            );
        }

        long after = isFromAnywhere ? oldest : Math.Min(target, session.Table.Shards.Min(shard => shard.Version));
        try
        {
            deltas.AddRange(
                session.Journal.Versions.Where(header => header.Version > after).Select(header => session.Journal.OpenDelta(header.Version))
            );
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The wanted version.</summary>
    internal long Target { get; }

    /// <summary>Root of the wanted version, as its own delta or the one after it says.</summary>
    internal Digest128 Root => session.Journal.Find(Target)?.Root ?? session.Journal.Find(Target + 1)?.ParentRoot ?? session.Root;

    /// <summary>The chunks that may differ between the wanted version and the newest.</summary>
    internal IReadOnlyList<int> Changed() =>
        [
            .. deltas
                .Where(delta => delta.Header.Version > Target)
                .SelectMany(delta => delta.ReadChunks())
                .Select(entry => entry.Ordinal)
                .Distinct()
                .Order(),
        ];

    /// <summary>Digest of a chunk in the wanted version.</summary>
    internal Digest128 DigestOf(int ordinal)
    {
        foreach (DeltaReader delta in deltas.Where(delta => delta.Header.Version > Target))
        {
            if (delta.Find(ordinal) is { } entry)
            {
                return entry.DigestBefore;
            }
        }

        return session.NewestDigest(ordinal);
    }

    /// <summary>Brings the bytes to the wanted version.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="bytes">Its bytes in some version, changed in place; undefined after an exception.</param>
    /// <param name="codec">The caller's codec.</param>
    /// <exception cref="CheckpointException">
    /// ShardForeign: they are of no version. VersionUnknown: a repair stands between, which knows only its bytes after. JournalDamaged.
    /// </exception>
    internal void Bring(in Chunk chunk, Span<byte> bytes, IChunkCodec codec)
    {
        if (!TryBring(chunk, bytes, codec))
        {
            throw ForeignBytes.At(chunk);
        }
    }

    /// <summary>As <see cref="Bring"/>, but bytes of no version are an answer: false, and nothing was changed.</summary>
    internal bool TryBring(in Chunk chunk, Span<byte> bytes, IChunkCodec codec)
    {
        Digest128 wanted = DigestOf(chunk.Ordinal);
        Digest128 digest = Digest128.Of(bytes);
        if (digest == wanted)
        {
            return true;
        }

        (DeltaReader Delta, DeltaChunk Entry)[] path = [.. Entries(chunk.Ordinal)];
        int target = Array.FindLastIndex(path, step => step.Delta.Header.Version <= Target) + 1;
        int place = PlaceOf(path, digest, target);
        if (place < 0)
        {
            return false;
        }

        for (; place < target; place++)
        {
            Step(path[place], chunk, bytes, codec, backward: false);
        }

        for (; place > target; place--)
        {
            Step(path[place - 1], chunk, bytes, codec, backward: true);
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DeltaReader delta in deltas)
        {
            delta.Dispose();
        }
    }

    private IEnumerable<(DeltaReader, DeltaChunk)> Entries(int ordinal)
    {
        foreach (DeltaReader delta in deltas)
        {
            if (delta.Find(ordinal) is { } entry)
            {
                yield return (delta, entry);
            }
        }
    }

    /// <summary>
    /// Number of entries that bytes of that digest have behind them, as near to the target as can be; a repair before the target begins
    /// from anything. Negative when the bytes are of no version.
    /// </summary>
    private static int PlaceOf((DeltaReader Delta, DeltaChunk Entry)[] path, Digest128 digest, int target)
    {
        int best = -1;
        for (int place = 0; place <= path.Length; place++)
        {
            bool isMatch = path.Length > 0 && digest == (place == 0 ? path[0].Entry.DigestBefore : path[place - 1].Entry.DigestAfter);
            if (isMatch && (best < 0 || Math.Abs(place - target) < Math.Abs(best - target)))
            {
                best = place;
            }
        }

        return best >= 0 ? best : Array.FindLastIndex(path[..target], step => step.Entry.Encoding == ChunkEncoding.Repair);
    }

    private static void Step((DeltaReader Delta, DeltaChunk Entry) step, in Chunk chunk, Span<byte> bytes, IChunkCodec codec, bool backward)
    {
        (DeltaReader delta, DeltaChunk entry) = step;
        if (entry.DigestBefore == entry.DigestAfter && Digest128.Of(bytes) == entry.DigestAfter)
        {
            // A repair that put back what should have been there.
            return;
        }

        if (backward && entry.Encoding == ChunkEncoding.Repair)
        {
            throw new CheckpointException(
                CheckpointError.VersionUnknown,
                $"version {delta.Header.Parent} and older cannot be made: tensor \"{chunk.Tensor.Name}\" of {chunk.Shard.FileName} "
                    + $"was damaged then, and version {delta.Header.Version} replaced it without knowing its bytes before",
                "restore a later version, or take it from a mirror"
            );
        }

        DeltaChain.ApplyOne(delta, entry, chunk, bytes, codec, backward);
        if (Digest128.Of(bytes) != (backward ? entry.DigestBefore : entry.DigestAfter))
        {
            throw DeltaFormat.Damaged(
                delta.Path,
                $"does not give tensor \"{chunk.Tensor.Name}\" of {chunk.Shard.FileName} as it was recorded"
            );
        }
    }
}
