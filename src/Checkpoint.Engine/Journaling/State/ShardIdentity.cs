using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>
/// Finds out which version each shard is of, by reading all of it: the newest version whose digests all match. Where none matches as a
/// whole, every chunk is looked for by itself: an interrupted fold leaves chunks of several versions, each of them proven; a chunk that
/// matches no version is damaged or foreign. Nothing is written.
/// </summary>
internal sealed class ShardIdentity
{
    private const long NoVersion = -1;

    private readonly IDisk disk;
    private readonly ModelLayout layout;
    private readonly OpenedModel opened;
    private readonly IReadOnlyList<Shard> shards;

    /// <summary>Digests of what the files hold, by ordinal; only of the shards that are looked at.</summary>
    private readonly Digest128[] found;

    /// <summary>Digests that the chunks have in the version that the walk is at.</summary>
    private readonly Digest128[] expected;

    /// <summary>Newest version in which a chunk has the digest that was found.</summary>
    private readonly long[] fits;

    private ShardIdentity(
        IDisk disk,
        ModelLayout layout,
        OpenedModel opened,
        IReadOnlyList<Shard> shards,
        Digest128[] found,
        Digest128[] newest
    )
    {
        this.disk = disk;
        this.layout = layout;
        this.opened = opened;
        this.shards = shards;
        this.found = found;
        expected = [.. newest];
        fits = new long[layout.ChunkCount];
        Array.Fill(fits, NoVersion);
    }

    /// <summary>Looks at shards and corrects the table, and the lists of mixed shards and damaged chunks.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="layout">The model.</param>
    /// <param name="opened">What is known; its table is corrected.</param>
    /// <param name="shards">The shards to look at.</param>
    /// <param name="newest">Digests of the newest version, or null when only the journal and the files themselves can tell.</param>
    /// <param name="options">Workers and progress.</param>
    /// <param name="cancellation">Ends it.</param>
    internal static void Find(
        IDisk disk,
        ModelLayout layout,
        OpenedModel opened,
        IReadOnlyList<Shard> shards,
        Digest128[]? newest,
        JournalOptions options,
        CancellationToken cancellation
    )
    {
        Digest128[] found = Measure(disk, layout, opened, shards, options, cancellation);
        newest ??= FromJournal(opened.Journal, found);
        ShardIdentity identity = new(disk, layout, opened, shards, found, newest);
        Dictionary<Shard, long> whole = identity.Walk(opened.Newest);
        identity.Conclude(whole, newest);
        opened.IsTableNew = true;
    }

    private static Digest128[] Measure(
        IDisk disk,
        ModelLayout layout,
        OpenedModel opened,
        IReadOnlyList<Shard> shards,
        JournalOptions options,
        CancellationToken cancellation
    )
    {
        Digest128[] found = new Digest128[layout.ChunkCount];
        using ShardFiles files = new(disk, shards);
        options.Progress.Begin("recover", shards.Sum(shard => shard.Length));
        foreach (Shard shard in shards)
        {
            files.ReadHeader(shard);
        }

        ChunkWorkers.Run(
            [.. shards.SelectMany(shard => Enumerable.Range(layout.ChunksOf(shard).First, layout.ChunksOf(shard).Count))],
            options.Workers,
            () => new byte[layout.LargestChunkBytes],
            (ordinal, buffer) =>
            {
                Chunk chunk = layout[ordinal];
                Span<byte> bytes = files.Read(chunk, buffer);
                opened.LayRedoOver(chunk, bytes);
                found[ordinal] = Digest128.Of(bytes);
                options.Progress.Advance(chunk.ByteLength);
            },
            cancellation
        );
        options.Progress.End();
        return found;
    }

    /// <summary>What the newest version must be: what the last delta that changed a chunk says, else what the chunk is.</summary>
    private static Digest128[] FromJournal(Journal journal, Digest128[] found)
    {
        Digest128[] newest = [.. found];
        bool[] isKnown = new bool[found.Length];
        foreach (DeltaHeader header in journal.Versions.Reverse())
        {
            using DeltaReader delta = journal.OpenDelta(header.Version);
            foreach (DeltaChunk entry in delta.ReadChunks().Where(entry => !isKnown[entry.Ordinal]))
            {
                newest[entry.Ordinal] = entry.DigestAfter;
                isKnown[entry.Ordinal] = true;
            }
        }

        return newest;
    }

    /// <summary>Goes back through the versions, and notes where shards and chunks match.</summary>
    /// <returns>The shards that match a version as a whole, and the newest such version.</returns>
    private Dictionary<Shard, long> Walk(long newest)
    {
        Dictionary<Shard, long> whole = [];
        Note(newest, whole);
        foreach (DeltaHeader header in opened.Journal.Versions.Reverse().TakeWhile(_ => whole.Count < shards.Count))
        {
            using DeltaReader delta = opened.Journal.OpenDelta(header.Version);
            foreach (DeltaChunk entry in delta.ReadChunks())
            {
                expected[entry.Ordinal] = entry.DigestBefore;
                if (entry.Encoding == ChunkEncoding.Repair && fits[entry.Ordinal] == NoVersion)
                {
                    // Absolute bytes begin from anything: a repair that was committed and not folded, or damage of what it once repaired.
                    fits[entry.Ordinal] = header.Parent;
                }
            }

            Note(header.Parent, whole);
        }

        return whole;
    }

    private void Note(long version, Dictionary<Shard, long> whole)
    {
        foreach (Shard shard in shards.Where(shard => !whole.ContainsKey(shard)))
        {
            (int first, int count) = layout.ChunksOf(shard);
            bool isWhole = true;
            for (int ordinal = first; ordinal < first + count; ordinal++)
            {
                bool isMatch = found[ordinal] == expected[ordinal];
                fits[ordinal] = isMatch && fits[ordinal] == NoVersion ? version : fits[ordinal];
                isWhole &= isMatch;
            }

            if (isWhole)
            {
                whole[shard] = version;
            }
        }
    }

    private void Conclude(Dictionary<Shard, long> whole, Digest128[] newest)
    {
        foreach (Shard shard in shards)
        {
            (int first, int count) = layout.ChunksOf(shard);
            ShardRecord record = new(shard.FileName, shard.Header.Digest, opened.Newest, 0, 0, 0);
            bool isPending = opened.PendingRedo.ContainsKey(shard.FileName);
            if (whole.TryGetValue(shard, out long version) && !isPending)
            {
                record = (record with { Version = version }).WithLooks(ShardFiles.Look(disk, shard));
                found.AsSpan(first, count).CopyTo(opened.Table.Digests.AsSpan(first));
            }
            else
            {
                int[] damaged = [.. Enumerable.Range(first, count).Where(ordinal => fits[ordinal] == NoVersion)];
                version = Enumerable
                    .Range(first, count)
                    .Select(ordinal => fits[ordinal])
                    .Where(fit => fit != NoVersion)
                    .DefaultIfEmpty(opened.Newest)
                    .Min();
                // Also a shard that is whole only with its redo laid over: its file is not.
                // Without looks, so that the next command looks again, whatever becomes of this one.
                record = record with
                {
                    Version = version,
                };
                DigestsAt(version, newest).AsSpan(first, count).CopyTo(opened.Table.Digests.AsSpan(first));
                opened.Mixed.Add(shard.FileName);
                opened.Damaged.UnionWith(damaged);
            }

            opened.Table.Shards[layout.PlaceOf(shard)] = record;
        }
    }

    private Digest128[] DigestsAt(long version, Digest128[] newest)
    {
        Digest128[] digests = [.. newest];
        foreach (DeltaHeader header in opened.Journal.Versions.Reverse().TakeWhile(header => header.Version > version))
        {
            using DeltaReader delta = opened.Journal.OpenDelta(header.Version);
            foreach (DeltaChunk entry in delta.ReadChunks())
            {
                digests[entry.Ordinal] = entry.DigestBefore;
            }
        }

        return digests;
    }
}
