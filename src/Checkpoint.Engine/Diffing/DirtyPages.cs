namespace ApolloCheckpoint.Engine.Diffing;

/// <summary>
/// Which parts of a chunk changed, and which the disk must really write: the 4 KiB pages of the file that hold a change. Found once a
/// chunk; what counts, codes and folds looks nowhere else.
/// </summary>
internal static class DirtyPages
{
    /// <summary>Bytes of a page; pages are counted from the start of the file.</summary>
    internal const int PageBytes = 4096;

    /// <summary>Finds them.</summary>
    /// <param name="before">The chunk's bytes in the file.</param>
    /// <param name="after">The bytes to be; as long.</param>
    /// <param name="fileOffset">Bytes from the start of the file to the chunk.</param>
    /// <param name="ranges">Filled with offset inside the chunk and length; neighbouring pages are one range.</param>
    /// <returns>Number of pages.</returns>
    internal static int Find(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, long fileOffset, List<(int Offset, int Length)> ranges)
    {
        ranges.Clear();
        int pages = 0;
        int end;
        for (int start = 0; start < before.Length; start = end)
        {
            end = (int)Math.Min(before.Length, start + PageBytes - (fileOffset + start) % PageBytes);
            if (before[start..end].SequenceEqual(after[start..end]))
            {
                continue;
            }

            pages++;
            bool isNeighbour = ranges.Count > 0 && ranges[^1].Offset + ranges[^1].Length == start;
            if (isNeighbour)
            {
                ranges[^1] = (ranges[^1].Offset, end - ranges[^1].Offset);
            }
            else
            {
                ranges.Add((start, end - start));
            }
        }

        return pages;
    }

    /// <summary>
    /// The units that a range of pages reaches into: first, and the one behind the last. A page may begin and end inside a unit; as ranges
    /// lie a page apart, no unit is in two of them.
    /// </summary>
    /// <param name="range">Offset inside the chunk and length, bytes.</param>
    /// <param name="unitBytes">Bytes of a unit; the chunk is whole units.</param>
    internal static (int First, int End) Units((int Offset, int Length) range, int unitBytes) =>
        (range.Offset / unitBytes, (range.Offset + range.Length + unitBytes - 1) / unitBytes);
}
