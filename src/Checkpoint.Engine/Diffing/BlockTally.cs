namespace ApolloCheckpoint.Engine.Diffing;

/// <summary>
/// Counts the changed blocks of a tensor, or the changed pages of a shard, over parts that are finished in any order and on any
/// thread. A block that several parts share counts once.
/// </summary>
/// <param name="blockSize">Bytes of a block.</param>
/// <param name="length">Bytes of the whole range; its last block may be shorter.</param>
internal sealed class BlockTally(int blockSize, long length)
{
    private readonly Lock gate = new();

    // Only blocks at borders of parts: two a part at most.
    private readonly HashSet<long> shared = [];
    private long whole;

    /// <summary>Blocks of the whole range.</summary>
    public long TotalBlocks => (length + blockSize - 1) / blockSize;

    /// <summary>Blocks that changed.</summary>
    public long ChangedBlocks
    {
        get
        {
            lock (gate)
            {
                return whole + shared.Count;
            }
        }
    }

    /// <summary>Bytes of the blocks that changed.</summary>
    public long ChangedBytes
    {
        get
        {
            lock (gate)
            {
                return whole * blockSize + shared.Sum(block => Math.Min(blockSize, length - block * blockSize));
            }
        }
    }

    /// <summary>Adds what one part changes.</summary>
    public void Add(BlockDiff part)
    {
        lock (gate)
        {
            whole += part.WholeChanged;
            if (part.DirtyFirst is long first)
            {
                shared.Add(first);
            }

            if (part.DirtyLast is long last)
            {
                shared.Add(last);
            }
        }
    }
}
