using System.IO.Hashing;
using System.Text;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles.Pickle;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>
/// torch.save's container since 1.6: a zip of stored entries under one root: <c>ROOT/data.pkl</c> is the object, <c>ROOT/data/KEY</c> a
/// storage, <c>ROOT/byteorder</c> "little" or "big" (missing: little).
/// </summary>
internal static class TorchZip
{
    private const string PickleName = "/data.pkl";

    /// <exception cref="CheckpointException">HandlesMalformed: the container.</exception>
    /// <exception cref="PickleException">The object in it.</exception>
    internal static TorchArchive Read(IDiskFile file)
    {
        Dictionary<string, ZipEntry> entries = ZipDirectory.ReadAll(file);
        string root = FindRoot(entries.Keys);
        // torch can be told to compute no CRC; then every entry has 0. One 0 among others is a CRC like any other.
        bool hasCrc = entries.Values.Any(entry => entry.Crc != 0);
        byte[] pickle = ReadEntry(file, entries[root + PickleName], TorchArchive.MaxPickleBytes, hasCrc);
        PickleBytes bytes = new(pickle);
        object? value = Unpickler.Load(bytes, []);
        if (bytes.Left > 0)
        {
            throw new PickleException($"has {bytes.Left} bytes behind the end of its pickle");
        }

        Dictionary<string, ArchiveRecord> records = new(StringComparer.Ordinal);
        string prefix = root + "/data/";
        foreach (ZipEntry entry in entries.Values.Where(entry => entry.Name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            records.Add(entry.Name[prefix.Length..], new ArchiveRecord(entry.DataOffset, entry.Length, hasCrc ? entry.Crc : null));
        }

        return new TorchArchive(HandlesFormat.TorchZip, value, records, IsBigEndian(file, entries, root, hasCrc));
    }

    private static string FindRoot(IEnumerable<string> names)
    {
        string[] pickles = [.. names.Where(name => name.EndsWith(PickleName, StringComparison.Ordinal) && name.Count(c => c == '/') == 1)];
        string root = pickles is [var single]
            ? single[..^PickleName.Length]
            : throw new PickleException($"is a zip with {pickles.Length} data.pkl; torch.save writes one");
        return names.FirstOrDefault(name => !name.StartsWith(root + "/", StringComparison.Ordinal)) is null
            ? root
            : throw new PickleException($"is a zip with entries beside its root {root}/");
    }

    private static bool IsBigEndian(IDiskFile file, Dictionary<string, ZipEntry> entries, string root, bool hasCrc)
    {
        if (!entries.TryGetValue($"{root}/byteorder", out ZipEntry? entry))
        {
            return false;
        }

        return Encoding.ASCII.GetString(ReadEntry(file, entry, 16, hasCrc)) switch
        {
            "little" => false,
            "big" => true,
            string other => throw new PickleException($"has the unknown byte order \"{other}\""),
        };
    }

    private static byte[] ReadEntry(IDiskFile file, ZipEntry entry, long most, bool hasCrc)
    {
        if (entry.Length > most)
        {
            throw new PickleException($"has an entry {entry.Name} of {entry.Length} bytes; at most {most} are read");
        }

        byte[] bytes = new byte[entry.Length];
        if (file.Read(bytes, entry.DataOffset) != bytes.Length || (hasCrc && Crc32.HashToUInt32(bytes) != entry.Crc))
        {
            throw new PickleException($"is damaged: {entry.Name} does not have the CRC that the zip directory says");
        }

        return bytes;
    }
}
