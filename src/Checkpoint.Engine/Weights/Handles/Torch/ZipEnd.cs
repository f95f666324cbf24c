using ApolloCheckpoint.Engine.Storage;
using static ApolloCheckpoint.Engine.Weights.Handles.Torch.ZipBytes;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>
/// Finds the directory of a zip archive by its end record, which has to be the last thing in the file: torch writes no comment, and a
/// second end record inside one would make two archives of one file (PKWARE APPNOTE 4.3.14 to 4.3.16).
/// </summary>
internal static class ZipEnd
{
    private const int EndBytes = 22;
    private const int LocatorBytes = 20;
    private const int End64Bytes = 56;
    private const long MaxDirectoryBytes = 64L << 20;

    /// <returns>Place and bytes of the directory, and how many entries it is said to have.</returns>
    /// <exception cref="CheckpointException">HandlesMalformed.</exception>
    internal static (long Offset, long Size, long Count) Find(IDiskFile file)
    {
        long length = file.Length;
        byte[] end = length >= EndBytes ? Read(file, length - EndBytes, EndBytes) : [];
        if (end.Length == 0 || U32(end, 0) != 0x06054b50 || U16(end, 20) != 0)
        {
            throw Malformed(file, "has no zip end record as its last bytes: cut short, or something stands behind the archive");
        }

        (long offset, long size, long count) = (U32(end, 16), U32(end, 12), U16(end, 10));
        long after = length - EndBytes;
        if (ReadEnd64(file, after) is { } end64)
        {
            // The plain record holds the same numbers, or all ones where they do not fit.
            bool agree =
                Agree(offset, end64.Offset, uint.MaxValue)
                && Agree(size, end64.Size, uint.MaxValue)
                && Agree(count, end64.Count, ushort.MaxValue);
            after -= LocatorBytes + End64Bytes;
            (offset, size, count) = agree ? end64 : throw Malformed(file, "has two zip end records that disagree");
        }

        bool isSingle = U16(end, 4) is 0 or ushort.MaxValue && U16(end, 6) is 0 or ushort.MaxValue;
        return isSingle && offset >= 0 && size is >= 0 and <= MaxDirectoryBytes && offset <= after - size && offset + size == after
            ? (offset, size, count)
            : throw Malformed(file, "has a zip directory that does not lie just before its end record");
    }

    private static (long Offset, long Size, long Count)? ReadEnd64(IDiskFile file, long endOffset)
    {
        long recordOffset = endOffset - LocatorBytes - End64Bytes;
        if (recordOffset < 0)
        {
            return null;
        }

        byte[] bytes = Read(file, recordOffset, End64Bytes + LocatorBytes);
        ReadOnlySpan<byte> locator = bytes.AsSpan(End64Bytes);
        if (U32(locator, 0) != 0x07064b50)
        {
            return null;
        }

        return U64(locator, 8) == recordOffset && U32(bytes, 0) == 0x06064b50 && U64(bytes, 4) == End64Bytes - 12
            ? (U64(bytes, 48), U64(bytes, 40), U64(bytes, 32))
            : throw Malformed(file, "has a zip64 end record that is not where its locator says");
    }

    private static bool Agree(long plain, long wide, long full) => plain == wide || plain == full;

    private static CheckpointException Malformed(IDiskFile file, string what) => HandlesFile.Malformed(file.Path, what);
}
