using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Weights.Archive;

/// <summary>Writes a state dict as torch.save would, protocol 2 in a zip, one storage a tensor; independently of the engine's reader.</summary>
internal static class TorchArchiveBytes
{
    /// <summary>A whole archive.</summary>
    internal static byte[] Build(IReadOnlyList<ContractTensor> tensors, bool bigEndian = false)
    {
        List<(string Name, byte[] Data)> entries =
        [
            ("a/data.pkl", Pickle(tensors)),
            ("a/byteorder", Encoding.ASCII.GetBytes(bigEndian ? "big" : "little")),
        ];
        entries.AddRange(tensors.Select((tensor, i) => ($"a/data/{i}", bigEndian ? Turned(tensor) : tensor.Memory)));
        return Zip(entries);
    }

    /// <summary>An archive of a pickle, given as Latin-1, and no storages.</summary>
    internal static byte[] BuildWithPickle(string latin1) => Zip([("a/data.pkl", Encoding.Latin1.GetBytes(latin1))]);

    private static byte[] Turned(ContractTensor tensor)
    {
        byte[] bytes = [.. tensor.Memory];
        int size = tensor.Type.UnitBytes();
        for (int i = 0; i < bytes.Length; i += size)
        {
            bytes.AsSpan(i, size).Reverse();
        }

        return bytes;
    }

    /// <summary>The pickle of a state dict; tensor i lies in storage i.</summary>
    internal static byte[] Pickle(IReadOnlyList<ContractTensor> tensors)
    {
        using MemoryStream pickle = new();
        Write(pickle, "\u0080\u0002}(");
        for (int i = 0; i < tensors.Count; i++)
        {
            ContractTensor tensor = tensors[i];
            // Items are set in batches of 1000, as pickle does.
            Write(pickle, i > 0 && i % 1000 == 0 ? "u(" : "");
            Text(pickle, tensor.Name);
            Write(pickle, "ctorch._utils\n_rebuild_tensor_v2\n((");
            Text(pickle, "storage");
            Write(pickle, $"ctorch\n{Storage(tensor.Type)}\n");
            Text(pickle, $"{i}");
            Text(pickle, "cpu");
            Number(pickle, tensor.Memory.Length / tensor.Type.UnitBytes());
            Write(pickle, "tQ");
            Number(pickle, 0);
            Tuple(pickle, tensor.Shape);
            Tuple(pickle, tensor.Stride);
            Write(pickle, "\u0089ccollections\nOrderedDict\n)RtR");
        }

        Write(pickle, "u.");
        return pickle.ToArray();
    }

    private static string Storage(ElementType type) =>
        type switch
        {
            ElementType.BF16 => "BFloat16Storage",
            ElementType.F32 => "FloatStorage",
            ElementType.I8 => "CharStorage",
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
        };

    private static void Write(MemoryStream stream, string latin1) => stream.Write(Encoding.Latin1.GetBytes(latin1));

    private static void Text(MemoryStream stream, string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        stream.WriteByte((byte)'X');
        stream.Write(BitConverter.GetBytes(utf8.Length));
        stream.Write(utf8);
    }

    private static void Number(MemoryStream stream, long number)
    {
        stream.WriteByte((byte)'J');
        stream.Write(BitConverter.GetBytes((int)number));
    }

    private static void Tuple(MemoryStream stream, long[] numbers)
    {
        stream.WriteByte((byte)'(');
        foreach (long number in numbers)
        {
            Number(stream, number);
        }

        stream.WriteByte((byte)'t');
    }

    private static byte[] Zip(List<(string Name, byte[] Data)> entries)
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

    private static byte[] Header(string name, byte[] data, bool local)
    {
        int common = local ? 6 : 8;
        byte[] header = new byte[(local ? 30 : 46) + name.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(header, local ? 0x04034b50u : 0x02014b50u);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(common + 8), Crc32.HashToUInt32(data));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(common + 12), (uint)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(common + 16), (uint)data.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(common + 20), (ushort)name.Length);
        Encoding.ASCII.GetBytes(name).CopyTo(header, header.Length - name.Length);
        return header;
    }
}
