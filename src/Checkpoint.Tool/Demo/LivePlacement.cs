using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>Where each tensor of a model stands in the demo producer's memory.</summary>
internal static class LivePlacement
{
    /// <summary>Tensors begin at multiples of a cache line, as allocators place them.</summary>
    private const long Alignment = 64;

    /// <summary>What vLLM merges (q, k and v rows; gate and up rows), so that the demo has merged parameters, too.</summary>
    private static readonly (string Merged, string[] Parts)[] Merges =
    [
        ("qkv_proj", ["q_proj", "k_proj", "v_proj"]),
        ("gate_up_proj", ["gate_proj", "up_proj"]),
    ];

    /// <summary>Places every tensor once.</summary>
    public static IReadOnlyList<LiveParameter> Of(ModelLayout layout)
    {
        (Shard Shard, TensorEntry Entry)[] all =
        [
            .. layout.Shards.SelectMany(shard => shard.Header.Tensors.Select(entry => (shard, entry))),
        ];
        Dictionary<string, (Shard, TensorEntry)> byName = all.ToDictionary(tensor => tensor.Entry.Name, StringComparer.Ordinal);
        HashSet<string> placed = new(StringComparer.Ordinal);
        List<LiveParameter> parameters = [];
        long offset = 0;
        foreach ((Shard Shard, TensorEntry Entry) tensor in all)
        {
            if (placed.Contains(tensor.Entry.Name))
            {
                continue;
            }

            (string name, (Shard, TensorEntry Entry)[] group) = Merged(tensor.Entry.Name, byName) ?? (tensor.Entry.Name, [tensor]);
            LiveParameter parameter = new(name, tensor.Entry.Type, Shape(group), offset, group);
            parameters.Add(parameter);
            placed.UnionWith(group.Select(member => member.Entry.Name));
            offset = (offset + parameter.ByteLength + Alignment - 1) / Alignment * Alignment;
        }

        return parameters;
    }

    private static (string, (Shard, TensorEntry)[])? Merged(string name, Dictionary<string, (Shard Shard, TensorEntry Entry)> byName)
    {
        foreach ((string merged, string[] parts) in Merges)
        {
            int at = parts.Select(part => name.IndexOf($".{part}.weight", StringComparison.Ordinal)).Max();
            string[] names = at < 0 ? [] : [.. parts.Select(part => $"{name[..at]}.{part}.weight")];
            (Shard, TensorEntry Entry)[] group = [.. names.Where(byName.ContainsKey).Select(part => byName[part])];
            if (at >= 0 && group.Length == parts.Length && CanMerge(group))
            {
                return ($"{name[..at]}.{merged}.weight", group);
            }
        }

        return null;
    }

    private static bool CanMerge((Shard, TensorEntry Entry)[] group) =>
        group.All(member =>
            member.Entry.Shape.Count == 2 && member.Entry.Shape[1] == group[0].Entry.Shape[1] && member.Entry.Type == group[0].Entry.Type
        );

    private static long[] Shape((Shard, TensorEntry Entry)[] group) =>
        group.Length == 1 ? [.. group[0].Entry.Shape] : [group.Sum(member => member.Entry.Shape[0]), .. group[0].Entry.Shape.Skip(1)];
}
