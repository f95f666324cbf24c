using System.Buffers.Binary;
using System.Text.Json;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>What stamp.py wrote, as the files of a model hold it: the first element of every tensor.</summary>
internal static class Stamps
{
    /// <summary>All different ones; a whole model has one.</summary>
    internal static IReadOnlyList<float> In(string model) =>
        [.. Directory.EnumerateFiles(model, "*.safetensors").SelectMany(Read).Distinct().Order()];

    private static IEnumerable<float> Read(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        int header = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (JsonProperty tensor in JsonDocument.Parse(bytes.AsMemory(8, header)).RootElement.EnumerateObject())
        {
            if (tensor.Name != "__metadata__")
            {
                Assert.Equal("BF16", tensor.Value.GetProperty("dtype").GetString());
                int begin = 8 + header + tensor.Value.GetProperty("data_offsets")[0].GetInt32();
                yield return BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(begin)) << 16);
            }
        }
    }
}
