using System.Text;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Model;

public class ModelDirectoryTests
{
    private static readonly byte[] Good = SafetensorsBytes.Build([(new TinyTensor("a", ElementType.U8, 3), new byte[3])]);

    private readonly CrashingDisk disk = new();

    public ModelDirectoryTests() => disk.CreateFolder("/m");

    [Fact]
    public void Single_file_is_found_without_an_index()
    {
        Put("model.safetensors", Good);
        Assert.Equal(["model.safetensors"], Open().Layout.Shards.Select(shard => shard.FileName));
    }

    [Fact]
    public void Single_file_of_another_name_is_taken_when_it_stands_alone_is_refused_as_ambiguous_among_others()
    {
        Put("other.safetensors", Good);
        Assert.Equal(CheckpointError.ModelAmbiguous, Refusal().Error);
        Put("third.safetensors", Good);
        Assert.Equal(CheckpointError.ModelAmbiguous, Refusal().Error);
    }

    [Fact]
    public void Missing_directory_and_a_file_in_its_place_are_told_apart_from_an_empty_one()
    {
        Assert.Contains("holds no safetensors", Refusal().Message, StringComparison.Ordinal);
        Put("file", []);
        Assert.Contains("not found", Refusal("/none").Message, StringComparison.Ordinal);
        Assert.Contains("is not a directory", Refusal("/m/file").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Directory_reached_through_a_link_is_opened()
    {
        Put("model.safetensors", Good);
        disk.MakeLink("/current", "/m");
        Assert.Single(ModelDirectory.Open(disk, "/current").Layout.Shards);
    }

    [Fact]
    public void Link_to_something_else_than_a_directory_is_refused()
    {
        Put("model.safetensors", Good);
        disk.MakeLink("/file", "/m/model.safetensors");
        disk.MakeLink("/nowhere", "/none");
        Assert.Equal(CheckpointError.ModelNotFound, Refusal("/file").Error);
        Assert.Equal(CheckpointError.ModelNotFound, Refusal("/nowhere").Error);
    }

    [Fact]
    public void Shard_that_the_index_names_and_is_not_there_is_named()
    {
        Put("1.safetensors", Good);
        PutIndex("""{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}""");
        CheckpointException e = Refusal();
        Assert.Equal(CheckpointError.ShardMissing, e.Error);
        Assert.Contains("2.safetensors", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_shard_is_named_with_what_is_wrong()
    {
        Put("model.safetensors", Good[..^1]);
        CheckpointException e = Refusal();
        Assert.Equal(CheckpointError.HeaderMalformed, e.Error);
        Assert.Contains("model.safetensors", e.Message, StringComparison.Ordinal);
        Assert.Contains("truncated", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Linked_shard_is_read_and_says_why_it_may_not_be_written()
    {
        disk.CreateFolder("/blobs");
        Put("/blobs/x", Good);
        disk.MakeLink("/m/model.safetensors", "../blobs/x");
        Assert.Equal("is a symbolic link", Open().Layout.Shards[0].LinkProblem);
        disk.Delete("/m/model.safetensors");
        disk.MakeHardLink("/m/model.safetensors", "/blobs/x");
        Assert.Equal("has 2 hard links", Open().Layout.Shards[0].LinkProblem);
    }

    [Fact]
    public void Shard_that_is_a_dangling_link_counts_as_missing()
    {
        disk.MakeLink("/m/model.safetensors", "../blobs/x");
        Assert.Equal(CheckpointError.ShardMissing, Refusal().Error);
    }

    [Fact]
    public void Folder_in_the_place_of_a_shard_is_refused()
    {
        disk.CreateFolder("/m/model.safetensors");
        Assert.Equal(CheckpointError.ShardMissing, Refusal().Error);
    }

    [Theory]
    [InlineData("not_json", "{", "is not JSON")]
    [InlineData("array", "[]", "has no weight_map")]
    [InlineData("no_map", "{}", "has no weight_map")]
    [InlineData("map_is_a_list", """{"weight_map":[]}""", "has no weight_map")]
    [InlineData("empty_map", """{"weight_map":{}}""", "names no tensor")]
    [InlineData("number_as_file", """{"weight_map":{"a":1}}""", "plain file name")]
    [InlineData("empty_name", """{"weight_map":{"a":""}}""", "plain file name")]
    [InlineData("parent", """{"weight_map":{"a":"../x.safetensors"}}""", "plain file name")]
    [InlineData("absolute", """{"weight_map":{"a":"/etc/passwd"}}""", "plain file name")]
    [InlineData("backslash", """{"weight_map":{"a":"..\\x"}}""", "plain file name")]
    [InlineData("dot_dot", """{"weight_map":{"a":".."}}""", "plain file name")]
    [InlineData("nul", """{"weight_map":{"a":"x\u0000y"}}""", "plain file name")]
    [InlineData("own_folder", """{"weight_map":{"a":".apollo"}}""", "plain file name")]
    [InlineData("fold_in_progress", """{"weight_map":{"a":"x.folding"}}""", "plain file name")]
    [InlineData("same_tensor_twice", """{"weight_map":{"a":"x","a":"y"}}""", "twice")]
    public void Index_that_is_wrong_is_refused(string name, string json, string expected)
    {
        PutIndex(json);
        CheckpointException e = Refusal();
        Assert.True(e.Message.Contains(expected, StringComparison.Ordinal), $"{name}: {e.Message}");
        Assert.Equal(CheckpointError.IndexMalformed, e.Error);
    }

    [Fact]
    public void Index_and_headers_that_disagree_are_refused_with_every_kind_of_difference()
    {
        Put("1.safetensors", SafetensorsBytes.Build(Rows("a", "moved", "unnamed")));
        Put("2.safetensors", SafetensorsBytes.Build(Rows("a", "b")));
        PutIndex("""{"weight_map":{"a":"1.safetensors","moved":"2.safetensors","b":"2.safetensors","gone":"1.safetensors"}}""");
        CheckpointException e = Refusal();
        Assert.Equal(CheckpointError.IndexMalformed, e.Error);
        Assert.Equal(["elsewhere", "missing", "twice", "unnamed"], e.Details.Select(row => row.Label).Order());
    }

    [Fact]
    public void Linked_index_is_followed_and_a_dangling_one_is_refused()
    {
        Put("1.safetensors", Good);
        disk.CreateFolder("/blobs");
        Put("/blobs/index", """{"weight_map":{"a":"1.safetensors"}}"""u8.ToArray());
        disk.MakeLink($"/m/{ModelDirectory.IndexName}", "/blobs/index");
        Assert.Single(Open().Layout.Shards);
        disk.Delete("/blobs/index");
        Assert.Equal(CheckpointError.IndexMalformed, Refusal().Error);
    }

    [Fact]
    public void Index_wins_over_files_that_it_does_not_name()
    {
        Put("model.safetensors", Good);
        Put("1.safetensors", Good);
        PutIndex("""{"weight_map":{"a":"1.safetensors"}}""");
        Assert.Equal(["1.safetensors"], Open().Layout.Shards.Select(shard => shard.FileName));
    }

    private static IEnumerable<(TinyTensor, byte[])> Rows(params string[] names) =>
        names.Select(name => (new TinyTensor(name, ElementType.U8, 1), new byte[1]));

    private ModelDirectory Open() => ModelDirectory.Open(disk, "/m");

    private CheckpointException Refusal(string path = "/m") => Assert.Throws<CheckpointException>(() => ModelDirectory.Open(disk, path));

    private void PutIndex(string json) => Put(ModelDirectory.IndexName, Encoding.UTF8.GetBytes(json));

    private void Put(string name, byte[] content)
    {
        using IDiskFile file = disk.Create(Path.Combine("/m", name));
        file.Write(content, 0);
    }
}
