using System.Text.Json;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Model;

/// <summary>Reads <c>model.safetensors.index.json</c>: <c>{"metadata":{...},"weight_map":{"NAME":"FILE", ...}}</c>, as hostile input.</summary>
internal static class WeightIndex
{
    /// <summary>Largest index accepted, bytes.</summary>
    private const long MaxBytes = 256L << 20;

    /// <summary>Tensor name → file name, or null when there is no index.</summary>
    /// <exception cref="CheckpointException">IndexMalformed.</exception>
    internal static Dictionary<string, string>? TryRead(IDisk disk, string path)
    {
        if (disk.Stat(path) is not { } entry)
        {
            return null;
        }

        // A hub cache links it; it is only read, so the link is followed by asking for its target.
        string real = entry.Kind == FileEntryKind.Link ? ResolveLink(disk, path) : path;
        using IDiskFile file = disk.Open(real);
        if (file.Length > MaxBytes)
        {
            throw Malformed(path, $"has {file.Length} bytes, more than the {MaxBytes} that are read");
        }

        byte[] text = new byte[file.Length];
        int length = file.Read(text, 0);
        try
        {
            using JsonDocument document = JsonDocument.Parse(text.AsMemory(0, length), new JsonDocumentOptions { MaxDepth = 16 });
            if (
                document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out JsonElement map)
                || map.ValueKind != JsonValueKind.Object
            )
            {
                throw Malformed(path, "has no weight_map");
            }

            return ReadMap(path, map);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: a text that is no valid Unicode, which shows only when it is asked for.
            throw Malformed(path, $"is not JSON: {e.Message}");
        }
    }

    /// <summary>Index and headers must name the same tensors in the same files.</summary>
    /// <exception cref="CheckpointException">IndexMalformed, naming the first tensors that differ.</exception>
    internal static void CheckAgainst(Dictionary<string, string>? index, IReadOnlyList<Shard> shards)
    {
        if (index is null)
        {
            return;
        }

        List<(string, string)> differences = [];
        Dictionary<string, string> found = new(StringComparer.Ordinal);
        foreach (Shard shard in shards)
        {
            foreach (TensorEntry tensor in shard.Header.Tensors)
            {
                if (!found.TryAdd(tensor.Name, shard.FileName))
                {
                    differences.Add(("twice", $"{tensor.Name} is in {found[tensor.Name]} and in {shard.FileName}"));
                }
                else if (!index.TryGetValue(tensor.Name, out string? named))
                {
                    differences.Add(("unnamed", $"{tensor.Name} is in {shard.FileName}, the index does not name it"));
                }
                else if (named != shard.FileName)
                {
                    differences.Add(("elsewhere", $"{tensor.Name} is in {shard.FileName}, the index says {named}"));
                }
            }
        }

        differences.AddRange(
            index.Where(row => !found.ContainsKey(row.Key)).Select(row => ("missing", $"{row.Key} is not in {row.Value}"))
        );
        if (differences.Count > 0)
        {
            throw new CheckpointException(
                CheckpointError.IndexMalformed,
                $"{ModelDirectory.IndexName} and the shards disagree on {differences.Count} tensors",
                "download or copy the index and the shards again: they belong to different models"
            )
            {
                Details = [.. differences.Take(5)],
            };
        }
    }

    private static Dictionary<string, string> ReadMap(string path, JsonElement map)
    {
        Dictionary<string, string> index = new(StringComparer.Ordinal);
        foreach (JsonProperty row in map.EnumerateObject())
        {
            string? file = row.Value.ValueKind == JsonValueKind.String ? row.Value.GetString() : null;
            if (string.IsNullOrEmpty(file) || file[0] == '.' || file.AsSpan().IndexOfAny('/', '\\', '\0') >= 0 || IsOurs(file))
            {
                throw Malformed(
                    path,
                    $"names {row.Value.GetRawText()} for \"{row.Name}\"; only the plain file name of a shard in the directory is allowed"
                );
            }

            if (!index.TryAdd(row.Name, file))
            {
                throw Malformed(path, $"names \"{row.Name}\" twice");
            }
        }

        return index.Count > 0 ? index : throw Malformed(path, "names no tensor");
    }

    /// <summary>A name that this program gives to files of its own beside the shards.</summary>
    private static bool IsOurs(string file) => file.EndsWith(".folding", StringComparison.Ordinal);

    private static string ResolveLink(IDisk disk, string path)
    {
        try
        {
            return disk.ResolveLink(path);
        }
        catch (FileNotFoundException)
        {
            throw Malformed(path, "is a link that leads nowhere");
        }
    }

    private static CheckpointException Malformed(string path, string what) =>
        new(CheckpointError.IndexMalformed, $"{path} {what}", "restore the index from where the model came from");
}
