using System.Text.Json;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// A recorded layout of several ranks (tests/fixtures/layouts-parallel), found by comparing bytes. Rectangles as text, for whole-value
/// comparison: "rank hf [start:length] = live [start:length]", with which copies nothing computes with, and whose copy it is.
/// </summary>
internal sealed class GoldenRanks
{
    private const string Head = "lm_head.weight";
    private const string Embeddings = "model.embed_tokens.weight";
    private readonly JsonElement root;

    internal GoldenRanks(string name)
    {
        root = JsonDocument.Parse(File.ReadAllText(Path.Combine(Fixtures.ParallelLayouts, $"{name}.json"))).RootElement;
        Model = root.GetProperty("name").GetString()!;
    }

    /// <summary>The recorded setups whose models are here.</summary>
    internal static IEnumerable<string> Names =>
        Directory
            .EnumerateFiles(Fixtures.ParallelLayouts, "*.json")
            .Select(file => Path.GetFileNameWithoutExtension(file))
            .Where(name => Directory.Exists(Path.Combine(Fixtures.Models, new GoldenRanks(name).Model)))
            .Order(StringComparer.Ordinal);

    /// <summary>The model that was loaded.</summary>
    internal string Model { get; }

    /// <summary>As rank_layouts.py wants it.</summary>
    internal object Setup(string directory)
    {
        JsonElement load = root.GetProperty("load");
        return new
        {
            model = directory,
            tp = load.GetProperty("tp").GetInt32(),
            pp = load.GetProperty("pp").GetInt32(),
            ep = load.GetProperty("ep").GetInt32() > 1,
            mm = root.GetProperty("setup").GetString()!.EndsWith("mmdata", StringComparison.Ordinal) ? "data" : "weights",
        };
    }

    /// <summary>Where each rectangle of each tensor on disk lies.</summary>
    internal IEnumerable<string> Map
    {
        get
        {
            Dictionary<string, string>[] firstNames = [.. root.GetProperty("ranks").EnumerateArray().Select(FirstNames)];
            return root.GetProperty("map")
                .EnumerateArray()
                .Select(row =>
                {
                    int rank = row.GetProperty("rank").GetInt32();
                    string live = row.GetProperty("live").GetString()!;
                    string first = firstNames[rank].GetValueOrDefault(live, live);
                    return Text(rank, row, first, row.GetProperty("file_rect"), row.GetProperty("live_rect"));
                })
                .Order(StringComparer.Ordinal);
        }
    }

    /// <summary>The same of the handles of all ranks.</summary>
    internal static IEnumerable<string> MapOf(JsonElement ranks) =>
        from handles in ranks.EnumerateArray()
        let rank = handles.GetProperty("parallel").GetProperty("rank").GetInt32()
        from tensor in handles.GetProperty("tensors").EnumerateArray()
        where tensor.TryGetProperty("parts", out _)
        from part in tensor.GetProperty("parts").EnumerateArray()
        let text = Text(rank, part, tensor.GetProperty("name").GetString()!, part.GetProperty("file"), part.GetProperty("live"))
        orderby text
        select text;

    private Dictionary<string, string> FirstNames(JsonElement rank)
    {
        Dictionary<string, string> first = (
            from alias in rank.GetProperty("aliases").EnumerateArray()
            from name in alias.EnumerateArray()
            select (Name: name.GetString()!, First: alias[0].GetString()!)
        ).ToDictionary(pair => pair.Name, pair => pair.First);
        if (IsTiedAfterLoading(rank))
        {
            first[Head] = Embeddings;
        }

        return first;
    }

    /// <summary>
    /// Layouts were recorded just before vLLM's last step of a load, which makes one tensor of a stored head and the embeddings where the
    /// configuration ties them, the rank holds both, and their bytes are equal (vllm/model_executor/model_loader/weight_tying.py).
    /// </summary>
    private bool IsTiedAfterLoading(JsonElement rank) =>
        root.GetProperty("config").TryGetProperty("tie_word_embeddings", out JsonElement tied)
        && tied.GetBoolean()
        && new[] { Head, Embeddings }.All(name =>
            rank.GetProperty("live").EnumerateArray().Any(live => live.GetProperty("name").GetString() == name)
        );

    private static string Text(int rank, JsonElement row, string live, JsonElement file, JsonElement place)
    {
        string unused = row.TryGetProperty("unused", out JsonElement flag) && flag.GetBoolean() ? " unused" : "";
        string copy = row.TryGetProperty("replica_of", out JsonElement of) ? $" copy of rank {of.GetProperty("rank")}" : "";
        return $"{rank} {row.GetProperty("hf")} {Text(file)} = {live} {Text(place)}{unused}{copy}";
    }

    private static string Text(JsonElement rectangle) =>
        $"[{string.Join(", ", rectangle.GetProperty("start").EnumerateArray())}]+[{string.Join(", ", rectangle.GetProperty("length").EnumerateArray())}]";
}
