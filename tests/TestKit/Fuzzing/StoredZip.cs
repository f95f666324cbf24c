using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>Writes zip archives of stored entries as torch.save does, with the right sizes and checksums; independently of the engine's reader.</summary>
public static class StoredZip
{
    /// <summary>A whole archive.</summary>
    public static byte[] Build(IReadOnlyList<(string Name, byte[] Data)> entries)
    {
        using MemoryStream zip = new();
        using MemoryStream directory = new();
        foreach ((string name, byte[] data) in entries)
        {
            byte[] local = Header(name, data, local: true);
            byte[] central = Header(name, data, local: false);
            BinaryPrimitives.WriteUInt32LittleEndian(central.AsSpan(42), (uint)zip.Position);
            directory.Write(central);
            zip.Write(local);
            zip.Write(data);
        }

        byte[] end = new byte[22];
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06054b50);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(8), (ushort)entries.Count);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(10), (ushort)entries.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(12), (uint)directory.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(16), (uint)zip.Position);
        zip.Write(directory.ToArray());
        zip.Write(end);
        return zip.ToArray();
    }

    /// <summary>The entries of an archive, or null when .NET cannot read it either.</summary>
    public static List<(string Name, byte[] Data)>? TryRead(byte[] archive)
    {
        try
        {
            using ZipArchive zip = new(new MemoryStream(archive));
            List<(string, byte[])> entries = [];
            foreach (ZipArchiveEntry entry in zip.Entries)
            {
                using MemoryStream data = new();
                using Stream stream = entry.Open();
                stream.CopyTo(data);
                entries.Add((entry.FullName, data.ToArray()));
            }

            return entries;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException or ArgumentException)
        {
            return null;
        }
    }

    private static byte[] Header(string name, byte[] data, bool local)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(name);
        int common = local ? 6 : 8;
        byte[] header = new byte[(local ? 30 : 46) + utf8.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(header, local ? 0x04034b50u : 0x02014b50u);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(common + 8), Crc32.HashToUInt32(data));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(common + 12), (uint)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(common + 16), (uint)data.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(common + 20), (ushort)utf8.Length);
        utf8.CopyTo(header, header.Length - utf8.Length);
        return header;
    }
}
