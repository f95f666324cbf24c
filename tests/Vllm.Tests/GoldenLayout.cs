using System.Text.Json;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// A recorded layout of tests/fixtures/layouts: found by comparing bytes, so independent of the hook. Rectangles as text, for whole-value
/// comparison: "hf = live [start:end, ...]".
/// </summary>
internal sealed class GoldenLayout
{
    private readonly JsonElement root;
    private readonly Dictionary<string, string> firstNames = [];

    internal GoldenLayout(string model)
    {
        root = JsonDocument.Parse(File.ReadAllText(Path.Combine(Fixtures.Layouts, $"{model}.json"))).RootElement;
        foreach (JsonElement group in root.GetProperty("aliases_after").EnumerateArray())
        {
            string[] names = [.. group.EnumerateArray().Select(name => name.GetString()!)];
            names.ToList().ForEach(name => firstNames[name] = names[0]);
        }
    }

    /// <summary>Where each tensor on disk lies in memory.</summary>
    internal IEnumerable<string> Map => root.GetProperty("map").EnumerateArray().Select(Describe).Order(StringComparer.Ordinal);

    /// <summary>Tensors on disk without a live counterpart.</summary>
    internal IEnumerable<string> NotLive => Names(root.GetProperty("not_live"));

    /// <summary>The same of a handles file.</summary>
    internal static IEnumerable<string> MapOf(JsonElement handles) =>
        from tensor in handles.GetProperty("tensors").EnumerateArray()
        from part in tensor.GetProperty("parts").EnumerateArray()
        let live = part.GetProperty("live")
        let text = Text(
            part.GetProperty("hf").GetString()!,
            tensor.GetProperty("name").GetString()!,
            Numbers(live.GetProperty("start")),
            Numbers(live.GetProperty("length"))
        )
        orderby text
        select text;

    /// <summary>The same of a handles file.</summary>
    internal static IEnumerable<string> NotLiveOf(JsonElement handles) => Names(handles.GetProperty("unmapped_disk"));

    private static IEnumerable<string> Names(JsonElement rows) =>
        rows.EnumerateArray().Select(row => row.GetProperty("hf").GetString()!).Order(StringComparer.Ordinal);

    private string Describe(JsonElement entry)
    {
        string live = entry.GetProperty("live").GetString()!;
        JsonElement tensor = root.GetProperty("live").EnumerateArray().First(row => row.GetProperty("name").GetString() == live);
        long[] length = Numbers(tensor.GetProperty("shape"));
        long[] start = new long[length.Length];
        long[] index = Numbers(entry.GetProperty("index"));
        index.CopyTo(start, 0);
        Array.Fill(length, 1, 0, index.Length);
        int axis = entry.GetProperty("dim").GetInt32();
        start[axis] = entry.GetProperty("start").GetInt64();
        length[axis] = entry.GetProperty("length").GetInt64();
        return Text(entry.GetProperty("hf").GetString()!, firstNames.GetValueOrDefault(live, live), start, length);
    }

    private static long[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(number => number.GetInt64())];

    private static string Text(string diskName, string live, long[] start, long[] length) =>
        $"{diskName} = {live} [{string.Join(", ", start.Zip(length, (from, count) => $"{from}:{from + count}"))}]";
}
