using System.Text;
using ApolloCheckpoint.Engine.Storage;
using static ApolloCheckpoint.Engine.Weights.Handles.Torch.ZipBytes;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>
/// Reads the directory of a zip archive as torch.save writes it, as hostile input: stored entries only, one way to read it, nothing
/// between directory and end. (PKWARE APPNOTE 4.3 and 4.5; what torch writes: the README of tests/fixtures/handles.)
/// <code>
/// [local header, data, data descriptor]*  [central header]*  [zip64 end 56, locator 20]  end 22
/// </code>
/// Local headers carry zeros in place of sizes and CRC (flag bit 3) and padding that the central ones lack, so the data's place is
/// computed from the local header, and its length is taken from the central one.
/// </summary>
internal static class ZipDirectory
{
    private const int CentralBytes = 46;
    private const int LocalBytes = 30;

    /// <summary>Bit 3: sizes follow the data. Bit 11: names are UTF-8. All others change how data is read.</summary>
    private const int AllowedFlags = 0x808;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>All entries by name.</summary>
    /// <exception cref="CheckpointException">HandlesMalformed.</exception>
    internal static Dictionary<string, ZipEntry> ReadAll(IDiskFile file)
    {
        (long offset, long size, long count) = ZipEnd.Find(file);
        byte[] directory = Read(file, offset, size);
        Dictionary<string, ZipEntry> entries = new(StringComparer.Ordinal);
        List<(long Begin, long End)> places = [];
        int position = 0;
        while (position < directory.Length)
        {
            position += ReadEntry(file, directory.AsSpan(position), offset, out ZipEntry entry, out long localOffset);
            places.Add((localOffset, entry.DataOffset + entry.Length));
            if (!entries.TryAdd(entry.Name, entry))
            {
                throw Malformed(file, $"has the entry \"{entry.Name}\" twice");
            }
        }

        if (entries.Count != count)
        {
            throw Malformed(file, $"has {entries.Count} entries in its directory, its end record says {count}");
        }

        places.Sort();
        for (int i = 1; i < places.Count; i++)
        {
            if (places[i].Begin < places[i - 1].End)
            {
                throw Malformed(file, "has entries that overlap");
            }
        }

        return entries;
    }

    /// <returns>Bytes of the central header.</returns>
    private static int ReadEntry(IDiskFile file, ReadOnlySpan<byte> header, long directoryOffset, out ZipEntry entry, out long localOffset)
    {
        if (header.Length < CentralBytes || U32(header, 0) != 0x02014b50)
        {
            throw Malformed(file, "has a zip directory with something that is no entry");
        }

        int nameBytes = U16(header, 28);
        int extraBytes = U16(header, 30);
        int total = CentralBytes + nameBytes + extraBytes + U16(header, 32);
        if (total > header.Length)
        {
            throw Malformed(file, "has a zip entry that leaves the directory");
        }

        ReadOnlySpan<byte> rawName = header.Slice(CentralBytes, nameBytes);
        string name = Name(file, rawName);
        (int flags, int method, uint crc) = (U16(header, 8), U16(header, 10), (uint)U32(header, 16));
        if ((flags & ~AllowedFlags) != 0 || method != 0)
        {
            throw Malformed(
                file,
                $"has the entry \"{name}\", which is encrypted or compressed (flags {flags:x}, method {method}); torch.save stores plainly"
            );
        }

        ReadOnlySpan<byte> extra = header.Slice(CentralBytes + nameBytes, extraBytes);
        (long stored, long length, localOffset) = Sizes(file, name, extra, U32(header, 20), U32(header, 24), U32(header, 42));
        if (stored != length)
        {
            throw Malformed(file, $"has the stored entry \"{name}\" with two sizes");
        }

        long dataOffset = CheckLocal(file, name, rawName, localOffset, directoryOffset, flags, crc, length);
        entry = new ZipEntry(name, dataOffset, length, crc);
        return total;
    }

    /// <summary>The zip64 extra (id 1) holds, in this order, those of the three numbers that are all ones in the header.</summary>
    private static (long Stored, long Length, long LocalOffset) Sizes(
        IDiskFile file,
        string name,
        ReadOnlySpan<byte> extra,
        long stored,
        long length,
        long localOffset
    )
    {
        ReadOnlySpan<byte> wide = [];
        while (extra.Length >= 4)
        {
            int size = U16(extra, 2);
            if (size > extra.Length - 4)
            {
                throw Malformed(file, $"has the entry \"{name}\" with an extra field that is cut short");
            }

            wide = U16(extra, 0) == 1 ? extra.Slice(4, size) : wide;
            extra = extra[(4 + size)..];
        }

        length = Widen(file, name, length, ref wide);
        stored = Widen(file, name, stored, ref wide);
        return (stored, length, Widen(file, name, localOffset, ref wide));
    }

    private static long Widen(IDiskFile file, string name, long number, ref ReadOnlySpan<byte> wide)
    {
        if (number != uint.MaxValue)
        {
            return number;
        }

        long whole =
            wide.Length >= 8 ? U64(wide, 0) : throw Malformed(file, $"has the entry \"{name}\" with a zip64 field that is too short");
        wide = wide[8..];
        return whole;
    }

    /// <returns>Bytes from the start of the file to the entry's data.</returns>
    private static long CheckLocal(
        IDiskFile file,
        string name,
        ReadOnlySpan<byte> rawName,
        long localOffset,
        long directoryOffset,
        int flags,
        uint crc,
        long length
    )
    {
        long room = directoryOffset - LocalBytes - rawName.Length;
        if (localOffset < 0 || localOffset > room || length < 0)
        {
            throw Malformed(file, $"has the entry \"{name}\" beyond its data");
        }

        byte[] local = Read(file, localOffset, LocalBytes + rawName.Length);
        bool isLate = (flags & 8) != 0;
        bool agrees =
            U32(local, 0) == 0x04034b50
            && U16(local, 6) == flags
            && U16(local, 8) == 0
            && U16(local, 26) == rawName.Length
            && local.AsSpan(LocalBytes).SequenceEqual(rawName)
            && ((uint)U32(local, 14) == crc || (isLate && U32(local, 14) == 0))
            && SizeAgrees(U32(local, 18), length, isLate)
            && SizeAgrees(U32(local, 22), length, isLate);
        if (!agrees)
        {
            throw Malformed(file, $"has the entry \"{name}\" whose local header says something else than the directory");
        }

        long dataOffset = localOffset + local.Length + U16(local, 28);
        return length <= directoryOffset - dataOffset
            ? dataOffset
            : throw Malformed(file, $"has the entry \"{name}\" of {length} bytes, which does not fit into the file");
    }

    private static bool SizeAgrees(long local, long length, bool isLate) =>
        local == length || (isLate && local == 0) || (local == uint.MaxValue && length >= uint.MaxValue);

    private static string Name(IDiskFile file, ReadOnlySpan<byte> raw)
    {
        string name;
        try
        {
            name = Strict.GetString(raw);
        }
        catch (DecoderFallbackException)
        {
            throw Malformed(file, "has an entry whose name is not UTF-8");
        }

        return name.AsSpan().IndexOfAny('\0', '\\') < 0 && name.Split('/').All(part => part is not ("" or "." or ".."))
            ? name
            : throw Malformed(file, "has an entry whose name is no plain path below its root");
    }

    private static CheckpointException Malformed(IDiskFile file, string what) => HandlesFile.Malformed(file.Path, what);
}
