using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ApolloCheckpoint.Engine.Diffing;

/// <summary>Compares two spans: how many units differ, and which blocks hold a difference. Pure.</summary>
internal static class BlockDiffer
{
    /// <summary>Bytes of a page of the file: what a disk really writes.</summary>
    public const int PageBytes = 4096;

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

    /// <summary>Finds the changed blocks of a part.</summary>
    /// <param name="before">The part's bytes.</param>
    /// <param name="after">As long.</param>
    /// <param name="offset">
    /// Where the part begins, in bytes from where blocks are counted: the tensor's start for blocks, the file's for pages.
    /// </param>
    /// <param name="blockSize">Bytes of a block.</param>
    public static BlockDiff Blocks(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, long offset, int blockSize)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(after.Length, before.Length);
        int into = (int)(offset % blockSize);
        long block = offset / blockSize;
        long? dirtyFirst = null;
        int at = 0;
        if (into != 0)
        {
            at = Math.Min(blockSize - into, before.Length);
            dirtyFirst = before[..at].SequenceEqual(after[..at]) ? null : block;
            block++;
        }

        int whole = 0;
        for (; before.Length - at >= blockSize; at += blockSize, block++)
        {
            whole += before.Slice(at, blockSize).SequenceEqual(after.Slice(at, blockSize)) ? 0 : 1;
        }

        // The end may be the tensor's own: only the tally knows how long that last block is.
        return new BlockDiff(whole, dirtyFirst, before[at..].SequenceEqual(after[at..]) ? null : block);
    }

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
