using System.Text.Json;
using System.Text.Json.Nodes;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Handles;

/// <summary>The files of torch.save under tests/fixtures/handles, and what each one must give.</summary>
internal static class TorchFixtures
{
    private static readonly JsonNode Expected = JsonNode.Parse(File.ReadAllText(Path.Combine(Fixtures.Handles, "expected.json")))!;

    /// <summary>Names of the files in "good" or "hostile".</summary>
    internal static IEnumerable<object[]> Names(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Fixtures.Handles, folder), "*.pt").Select(path => new object[] { Path.GetFileName(path) });

    /// <summary>The path of one.</summary>
    internal static string PathOf(string folder, string name) => Path.Combine(Fixtures.Handles, folder, name);

    /// <summary>What it must give.</summary>
    internal static JsonObject ExpectedOf(string folder, string name) => Expected[folder]![name]!.AsObject();

    /// <summary>A text of a JSON value that compares whole values.</summary>
    internal static string Text(object? value) => JsonSerializer.Serialize(value);
}
