using System.Text;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit.Fuzzing;

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
        return StoredZip.Build(entries);
    }

    /// <summary>An archive of a pickle, given as Latin-1, and storages by their keys.</summary>
    internal static byte[] BuildWithPickle(string latin1, params (string Key, byte[] Data)[] storages) =>
        StoredZip.Build([("a/data.pkl", Encoding.Latin1.GetBytes(latin1)), .. storages.Select(row => ($"a/data/{row.Key}", row.Data))]);

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
}
