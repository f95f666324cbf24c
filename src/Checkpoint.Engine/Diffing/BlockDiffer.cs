using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ApolloCheckpoint.Engine.Diffing;

/// <summary>Compares two spans: how many units differ, and which blocks hold a difference. Pure.</summary>
internal static class BlockDiffer
{
    /// <summary>Counts units that differ.</summary>
    /// <param name="before">Whole units.</param>
    /// <param name="after">As long.</param>
    /// <param name="unitBytes">Bytes of a unit: 1, 2, 4 or 8.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another width.</exception>
    public static int CountChanged(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int unitBytes) =>
        unitBytes switch
        {
            1 => CountChanged<byte>(before, after),
            2 => CountChanged<ushort>(before, after),
            4 => CountChanged<uint>(before, after),
            8 => CountChanged<ulong>(before, after),
            _ => throw new ArgumentOutOfRangeException(nameof(unitBytes), unitBytes, null),
        };

    /// <summary>As above, looking only where the spans may differ.</summary>
    /// <param name="before">Whole units.</param>
    /// <param name="after">As long.</param>
    /// <param name="unitBytes">Bytes of a unit: 1, 2, 4 or 8.</param>
    /// <param name="changed">From <see cref="DirtyPages.Find"/>: ascending, apart; outside of them both are equal.</param>
    public static int CountChanged(
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        int unitBytes,
        ReadOnlySpan<(int Offset, int Length)> changed
    )
    {
        int count = 0;
        foreach ((int Offset, int Length) range in changed)
        {
            (int first, int end) = DirtyPages.Units(range, unitBytes);
            Range bytes = (first * unitBytes)..(end * unitBytes);
            count += CountChanged(before[bytes], after[bytes], unitBytes);
        }

        return count;
    }

    /// <summary>Finds the changed blocks of a part.</summary>
    /// <param name="before">The part's bytes.</param>
    /// <param name="after">As long.</param>
    /// <param name="changed">From <see cref="DirtyPages.Find"/>: ascending, apart; outside of them both are equal.</param>
    /// <param name="offset">
    /// Where the part begins, in bytes from where blocks are counted: the tensor's start for blocks, the file's for pages.
    /// </param>
    /// <param name="blockSize">Bytes of a block.</param>
    public static BlockDiff Blocks(
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        ReadOnlySpan<(int Offset, int Length)> changed,
        long offset,
        int blockSize
    )
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(after.Length, before.Length);
        long next = offset / blockSize;
        BlockDiff found = default;
        foreach ((int start, int length) in changed)
        {
            // Two ranges may touch the same block.
            next = Math.Max(next, (offset + start) / blockSize);
            for (; next * blockSize < offset + start + length; next++)
            {
                int from = (int)Math.Max(0, next * blockSize - offset);
                int to = (int)Math.Min(before.Length, (next + 1) * blockSize - offset);
                if (!before[from..to].SequenceEqual(after[from..to]))
                {
                    found = Add(found, next, isFirst: next * blockSize < offset, isLast: (next + 1) * blockSize > offset + before.Length);
                }
            }
        }

        return found;
    }

    // The end may be the tensor's own: only the tally knows how long that last block is.
    private static BlockDiff Add(BlockDiff sum, long block, bool isFirst, bool isLast) =>
        isFirst ? sum with { DirtyFirst = block }
        : isLast ? sum with { DirtyLast = block }
        : sum with { WholeChanged = sum.WholeChanged + 1 };

    private static int CountChanged<T>(ReadOnlySpan<byte> beforeBytes, ReadOnlySpan<byte> afterBytes)
        where T : unmanaged, IEquatable<T>
    {
        ReadOnlySpan<T> before = MemoryMarshal.Cast<byte, T>(beforeBytes);
        ReadOnlySpan<T> after = MemoryMarshal.Cast<byte, T>(afterBytes)[..before.Length];
        int equal = 0;
        int index = 0;
        for (; index <= before.Length - Vector256<T>.Count; index += Vector256<T>.Count)
        {
            Vector256<T> same = Vector256.Equals(Vector256.Create(before[index..]), Vector256.Create(after[index..]));
            equal += BitOperations.PopCount(same.ExtractMostSignificantBits());
        }

        for (; index < before.Length; index++)
        {
            equal += before[index].Equals(after[index]) ? 1 : 0;
        }

        return before.Length - equal;
    }
}
