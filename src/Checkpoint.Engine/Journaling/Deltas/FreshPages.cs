namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>
/// The pages that a delta changes, as the scan that made it saw them, kept in memory while they are few: the fold that follows writes
/// them and need not read and decode the chunks once more. Only a shortcut: without it the fold finds the same pages from shard and
/// delta, and either way no chunk is written whose result has not the digest that the version recorded. Thread-safe.
/// </summary>
internal sealed class FreshPages
{
    /// <summary>Most bytes of pages; a part of invariant 10's 256 MiB.</summary>
    internal const int MostBytes = 32 << 20;

    private readonly Lock gate = new();
    private readonly Dictionary<int, FreshChunk> chunks = [];
    private long bytes;
    private bool areTooMany;

    /// <summary>Takes the changed pages of a chunk. Once they are too many, all are let go: few chunks of a shard help nobody.</summary>
    /// <param name="ordinal">The chunk.</param>
    /// <param name="ranges">Offset inside the chunk and length, bytes, from <see cref="Diffing.DirtyPages"/>.</param>
    /// <param name="pages">How many pages they are.</param>
    /// <param name="after">All bytes of the chunk in the new version; what is needed is copied.</param>
    internal void Keep(int ordinal, IReadOnlyList<(int Offset, int Length)> ranges, int pages, ReadOnlySpan<byte> after)
    {
        int length = ranges.Sum(range => range.Length);
        lock (gate)
        {
            Remove(ordinal);
            areTooMany |= bytes + length > MostBytes;
            if (areTooMany)
            {
                chunks.Clear();
                return;
            }

            byte[] values = GC.AllocateUninitializedArray<byte>(length);
            int at = 0;
            foreach ((int offset, int count) in ranges)
            {
                after.Slice(offset, count).CopyTo(values.AsSpan(at));
                at += count;
            }

            chunks.Add(ordinal, new FreshChunk(ordinal, [.. ranges], pages, values));
            bytes += length;
        }
    }

    /// <summary>Lets go of a chunk: a later pass says something else of it.</summary>
    internal void Forget(int ordinal)
    {
        lock (gate)
        {
            Remove(ordinal);
        }
    }

    /// <summary>The chunks asked for, in that order, or null when not all of them are here.</summary>
    internal IReadOnlyList<FreshChunk>? TryFind(IReadOnlyList<int> ordinals)
    {
        lock (gate)
        {
            return ordinals.All(chunks.ContainsKey) ? [.. ordinals.Select(ordinal => chunks[ordinal])] : null;
        }
    }

    private void Remove(int ordinal)
    {
        if (chunks.Remove(ordinal, out FreshChunk? old))
        {
            bytes -= old.Values.Length;
        }
    }
}
