using System.Buffers.Binary;
using System.Numerics;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles.Pickle;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>
/// torch.save's container before 1.6, and with <c>_use_new_zipfile_serialization=False</c>: five pickles one after another (magic,
/// protocol 1001, system, the object, the list of keys), then for each key an i64 number of elements and the bytes.
/// </summary>
internal static class TorchLegacy
{
    private static readonly BigInteger Magic = BigInteger.Parse(
        "119547037146038801333356",
        System.Globalization.CultureInfo.InvariantCulture
    );

    /// <exception cref="PickleException">Not such a file, or cut short.</exception>
    internal static TorchArchive Read(IDiskFile file)
    {
        byte[] head = new byte[Math.Min(file.Length, TorchArchive.MaxPickleBytes)];
        int length = file.Read(head, 0);
        PickleBytes bytes = new(head.AsMemory(0, length));
        if (Unpickler.Load(bytes, []) is not BigInteger magic || magic != Magic || Unpickler.Load(bytes, []) is not 1001L)
        {
            throw new PickleException("is a pickle, but not one of torch.save");
        }

        bool isBigEndian =
            Unpickler.Load(bytes, []) is PickleDict system && system.TryGet("little_endian", out object? little) && little is false;
        Dictionary<string, PickleStorage> storages = new(StringComparer.Ordinal);
        object? root = Unpickler.Load(bytes, storages);
        if (Unpickler.Load(bytes, []) is not PickleList keys)
        {
            throw new PickleException("has no list of storages where torch.save puts it");
        }

        Dictionary<string, ArchiveRecord> records = ReadRecords(file, bytes.Position, keys, storages);
        return new TorchArchive(HandlesFormat.TorchLegacy, root, records, isBigEndian);
    }

    private static Dictionary<string, ArchiveRecord> ReadRecords(
        IDiskFile file,
        long position,
        PickleList keys,
        Dictionary<string, PickleStorage> storages
    )
    {
        Dictionary<string, ArchiveRecord> records = new(StringComparer.Ordinal);
        Span<byte> count = stackalloc byte[8];
        foreach (object? item in keys.Items)
        {
            if (item is not string key || !storages.TryGetValue(key, out PickleStorage? storage) || records.ContainsKey(key))
            {
                throw new PickleException("lists storages that its tensors do not name");
            }

            long bytes = TorchTensors.StorageBytes(storage);
            if (
                file.Read(count, position) != 8
                || BinaryPrimitives.ReadInt64LittleEndian(count) != storage.Elements
                || bytes > file.Length - position - 8
            )
            {
                throw new PickleException($"has the storage {key} cut short, or of another size than its tensors say");
            }

            records.Add(key, new ArchiveRecord(position + 8, bytes, null));
            position += 8 + bytes;
        }

        return position == file.Length && records.Count == storages.Count
            ? records
            : throw new PickleException("does not end where its last storage ends");
    }
}
