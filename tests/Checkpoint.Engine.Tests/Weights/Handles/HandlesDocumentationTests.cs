using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Handles;

/// <summary>The examples and the schema of docs/format-handles.md say what the reader takes.</summary>
public sealed class HandlesDocumentationTests
{
    private static readonly string[] Examples =
    [
        .. Regex
            .Matches(File.ReadAllText(Repository.PathOf("docs", "format-handles.md")), "```json\n(.*?)```", RegexOptions.Singleline)
            .Select(match => match.Groups[1].Value),
    ];

    [Fact]
    public void The_example_of_a_rank_is_read()
    {
        using TempDirectory folder = new();
        File.WriteAllText(folder.File("h.json"), Examples[1]);
        using IDiskFile file = Disk.Instance.Open(folder.File("h.json"));
        HandlesFile handles = HandlesFile.Parse(file, CancellationToken.None);
        Assert.Equal(
            ["model.layers.0.self_attn.qkv_proj.weight", "lm_head.weight", "model.layers.9.weight"],
            handles.Tensors.Select(tensor => tensor.Name)
        );
        Assert.Equal((4242, folder.File("state.bin")), (handles.Producer.Pid, handles.StatePagePath));
    }

    [Fact]
    public void The_example_of_an_index_is_read()
    {
        using TempDirectory folder = new();
        HandlesText.Write(folder.Path, HandlesText.Publish(folder.Path, [ContractTensor.Of("w", ElementType.BF16, 1, 4)]));
        HandlesText.Write(folder.Path, JsonNode.Parse(Examples[0])!, "index.json");
        HandlesFile handles = HandlesFile.Read(folder.Path, FileRules.For(null), CancellationToken.None);
        Assert.Equal((folder.Path, "w"), (handles.Path, Assert.Single(handles.Tensors).Name));
    }

    [Fact]
    public void The_schema_requires_what_the_reader_requires_and_knows_its_types()
    {
        JsonNode schema = JsonNode.Parse(File.ReadAllText(Repository.PathOf("docs", "handles-v2.schema.json")))!;
        Assert.Equal(["format", "version", "allocations", "tensors"], schema["required"]!.AsArray().Select(node => (string?)node));
        JsonArray types = schema["properties"]!["tensors"]!["items"]!["properties"]!["dtype"]!["enum"]!.AsArray();
        Assert.Equal(
            Enum.GetValues<ElementType>().Where(ElementTypes.IsDefined).Select(type => type.Name()).Order(),
            types.Select(node => (string?)node).OfType<string>().Order()
        );
    }
}
