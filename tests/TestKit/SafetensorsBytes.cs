using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.TestKit;

/// <summary>Writes safetensors files, independently of the engine's reader.</summary>
public static class SafetensorsBytes
{
    /// <summary>A whole file: length prefix, JSON padded with spaces to 8 bytes, data in the order given.</summary>
    public static byte[] Build(IEnumerable<(TinyTensor Tensor, byte[] Bytes)> rows)
    {
        using MemoryStream data = new();
        Dictionary<string, object> header = new() { ["__metadata__"] = new Dictionary<string, string> { ["format"] = "pt" } };
        foreach ((TinyTensor tensor, byte[] bytes) in rows)
        {
            long begin = data.Position;
            data.Write(bytes);
            header.Add(
                tensor.Name,
                new
                {
                    dtype = tensor.Type.Name(),
                    shape = tensor.Shape,
                    data_offsets = new[] { begin, data.Position },
                }
            );
        }

        return WithHeader(JsonSerializer.Serialize(header), data.ToArray());
    }

    /// <summary>A file with exactly that header text (padded), well-formed or not.</summary>
    public static byte[] WithHeader(string json, byte[] data)
    {
        byte[] text = Encoding.UTF8.GetBytes(json);
        byte[] file = new byte[8 + (text.Length + 7) / 8 * 8 + data.Length];
        file.AsSpan(8, file.Length - 8 - data.Length).Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(file, file.Length - 8 - data.Length);
        text.CopyTo(file, 8);
        data.CopyTo(file, file.Length - data.Length);
        return file;
    }
}
