using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Planning;

/// <summary>Shards that consist of a header alone: what the planner needs of a model.</summary>
internal sealed class ModelBuilder
{
    private readonly SortedDictionary<string, List<(string Name, ElementType Type, long[] Shape)>> shards = new(StringComparer.Ordinal);

    internal ModelBuilder Add(string name, params long[] shape) => Add(name, ElementType.BF16, shape);

    internal ModelBuilder Add(string name, ElementType type, long[] shape, string file = "model.safetensors")
    {
        if (!shards.TryGetValue(file, out var tensors))
        {
            shards[file] = tensors = [];
        }

        tensors.Add((name, type, shape));
        return this;
    }

    internal ModelLayout Build() => new(shards.Select(row => Shard(row.Key, row.Value)));

    private static Shard Shard(string file, List<(string Name, ElementType Type, long[] Shape)> tensors)
    {
        Dictionary<string, object> header = [];
        long offset = 0;
        foreach ((string name, ElementType type, long[] shape) in tensors)
        {
            long end = offset + shape.Aggregate(1L, (a, b) => a * b) * type.Bits() / 8;
            header[name] = new
            {
                dtype = type.Name(),
                shape,
                data_offsets = new[] { offset, end },
            };
            offset = end;
        }

        byte[] json = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(header));
        byte[] bytes = new byte[8 + json.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 8);
        long length = bytes.Length + offset;
        return new Shard(file, $"/{file}", length, SafetensorsHeader.Parse(bytes, length));
    }
}
