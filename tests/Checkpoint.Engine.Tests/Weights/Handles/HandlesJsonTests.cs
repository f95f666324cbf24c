using System.Text;
using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Handles;

public sealed class HandlesJsonTests : IDisposable
{
    private const string Least = """
        {"format":"apollo-handles","version":2,
         "allocations":[{"id":0,"kind":"file","path":"m","size":100}],
         "tensors":[{"name":"w","alloc":0,"offset":4,"dtype":"BF16","shape":[6,8]}]}
        """;

    private readonly TempDirectory folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Only_the_required_fields_are_required()
    {
        HandlesFile handles = Read(Least);
        HandleTensor tensor = Assert.Single(handles.Tensors);
        Assert.Equal(
            ("w", ElementType.BF16, 4L, 96L, true),
            (tensor.Name, tensor.Layout.Type, tensor.AllocationOffset, tensor.Layout.Extent, tensor.Layout.IsContiguous)
        );
        Assert.Equal(new HandleAllocation(AllocationKind.File, 100) { Path = folder.File("m") }.ToString(), tensor.Allocation!.ToString());
        Assert.Equal((ProducerInfo.Unknown, null, 0), (handles.Producer, handles.StatePagePath, handles.UnmappedDisk.Count));
    }

    [Fact]
    public void Every_field_is_read()
    {
        HandlesFile handles = Read(
            """
            {"format":"apollo-handles","version":2,"generation":7,"something":{"new":[1]},
             "producer":{"kind":"vllm","version":"0.32.0","pid":42,"pid_start":99,"boot_id":"b","hook":"apollo-vllm 0.1","loaded_root":"00ff"},
             "model":{"path":"/models/m","lora":true},
             "parallel":{"rank":3},
             "state":{"path":"state.bin","protocol":"flock+seqlock"},
             "allocations":[{"id":5,"device_uuid":"GPU-1","kind":"cuda-ipc","handle":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==","size":4096}],
             "tensors":[
               {"name":"qkv","alloc":5,"offset":512,"dtype":"BF16","shape":[8,4],"stride":[4,1],
                "parts":[{"hf":"q","live":{"dim":0,"start":0,"length":6},"file":{"dim":0,"start":0,"length":6},"proof":"full"},
                         {"hf":"k","live":{"start":[6,0],"length":[2,4]},"file":{"start":[2,0],"length":[2,4]},"proof":"sample","unused":true},
                         {"hf":"v","live":{"dim":1,"start":1,"length":2},"file":{"dim":1,"start":0,"length":2},"replica_of":0}]},
               {"name":"odd","unsupported":"offloaded"}],
             "unmapped_disk":[{"hf":"mtp.fc.weight","why":"skipped by loader"}]}
            """
        );
        Assert.Equal(
            new ProducerInfo("vllm", 42, 99, "b", "00ff", "/models/m")
            {
                Description = "vllm 0.32.0, hook apollo-vllm 0.1, LoRA adapters are active and not part of these weights",
            },
            handles.Producer
        );
        Assert.Equal(folder.File("state.bin"), handles.StatePagePath);
        Assert.Equal("skipped by loader", handles.UnmappedDisk["mtp.fc.weight"]);
        Assert.Equal(
            [("qkv", 3, null), ("odd", 3, "offloaded")],
            handles.Tensors.Select(tensor => (tensor.Name, tensor.Rank, tensor.Unsupported))
        );
        Assert.Equal(Enumerable.Repeat((byte)1, 64), handles.Allocations[0].Handle);
        Assert.Equal("GPU-1", handles.Allocations[0].DeviceUuid);
        Assert.Equal(
            [
                new LivePart("q", new Rectangle([0, 0], [6, 4]), new Rectangle([0, 0], [6, 4]), "full"),
                new LivePart("k", new Rectangle([6, 0], [2, 4]), new Rectangle([2, 0], [2, 4]), "sample", Unused: true),
                new LivePart("v", new Rectangle([0, 1], [8, 2]), new Rectangle([0, 0], [8, 2]), "none", IsReplica: true),
            ],
            handles.Tensors[0].Parts
        );
    }

    [Fact]
    public void A_quantised_model_is_vouched_for_by_nobody() =>
        Assert.Equal(
            "the model is quantised (fp8)",
            Read(Least.Replace("\"version\":2", "\"version\":2,\"model\":{\"quantization\":\"fp8\"}")).Tensors[0].Unsupported
        );

    [Fact]
    public void A_handle_is_never_in_a_text()
    {
        HandleAllocation allocation = new(AllocationKind.CudaIpc, 10) { Handle = Encoding.ASCII.GetBytes(new string('S', 64)) };
        Assert.Equal("CudaIpc cd9fbb63b4ccd8ba 10 bytes".Length, allocation.ToString().Length);
        Assert.DoesNotContain("SSSS", allocation.ToString());
    }

    [Theory]
    [InlineData("\"version\":2", "\"version\":3", "has version 3; this program reads version 2")]
    [InlineData("apollo-handles", "other", "does not say \"format\": \"apollo-handles\"")]
    [InlineData("\"allocations\"", "\"allocation\"", "has no list \"allocations\"")]
    [InlineData("\"tensors\"", "\"tensor\"", "has no list \"tensors\"")]
    [InlineData("\"size\":100", "\"size\":99", ": tensor \"w\" takes bytes 4 to 100 of allocation 0, which has 99")]
    [InlineData("\"size\":100", "\"size\":-1", ": allocation 0 has a \"size\" that is no whole number from 0 to 2^63-1")]
    [InlineData("\"size\":100", "\"size\":1e30", ": allocation 0 has a \"size\" that is no whole number from 0 to 2^63-1")]
    [InlineData("\"size\":100", "\"size\":9223372036854775807,\"file_offset\":1", ": allocation 0 names no place in a file that can exist")]
    [InlineData(
        "\"kind\":\"file\"",
        "\"kind\":\"pipe\"",
        ": allocation 0 is of the unknown kind \"pipe\"; known are \"cuda-ipc\" and \"file\""
    )]
    [InlineData(
        "\"kind\":\"file\"",
        "\"kind\":\"cuda-ipc\",\"handle\":\"AAAA\"",
        ": allocation 0 has a handle that is not 64 bytes in base64"
    )]
    [InlineData("\"offset\":4", "\"offset\":5", ": tensor \"w\" takes bytes 5 to 101 of allocation 0, which has 100")]
    [InlineData(
        "\"offset\":4",
        "\"offset\":9223372036854775807",
        ": tensor \"w\" takes bytes 9223372036854775807 to 9223372036854775903 of allocation 0, which has 100"
    )]
    [InlineData("\"offset\":4", "\"offset\":\"4\"", ": tensor \"w\" has a \"offset\" that is no whole number from 0 to 2^63-1")]
    [InlineData("\"alloc\":0", "\"alloc\":1", ": tensor \"w\" lies in allocation 1, which is not listed")]
    [InlineData("\"BF16\"", "\"bf16\"", ": tensor \"w\" has the unknown dtype \"bf16\"")]
    [InlineData("[6,8]", "[6,8],\"stride\":[8]", ": tensor \"w\" has 2 sizes and 1 strides")]
    [InlineData("[6,8]", "[6,8],\"stride\":[9,1]", ": tensor \"w\" takes bytes 4 to 110 of allocation 0, which has 100")]
    [InlineData("[6,8]", "[4294967296,4294967296]", ": tensor \"w\" is larger than can be counted")]
    [InlineData("[6,8]", "[2],\"stride\":[9223372036854775807]", ": tensor \"w\" is larger than can be counted")]
    [InlineData("[6,8]", "[6,-8]", ": tensor \"w\" has a \"shape\" that is no whole number from 0 to 2^63-1")]
    [InlineData("[6,8]}", "[6,8]},{\"name\":\"w\",\"alloc\":0,\"offset\":0,\"dtype\":\"U8\",\"shape\":[1]}", ": tensor \"w\" stands twice")]
    [InlineData("[6,8]", "[6,8],\"name\":\"v\"", null)]
    [InlineData(
        "[6,8]",
        "[6,8],\"parts\":[{\"hf\":\"x\",\"live\":{\"dim\":2,\"start\":0,\"length\":1}}]",
        ": tensor \"w\": part \"x\" has a \"live\" along dimension 2 of 2"
    )]
    [InlineData(
        "[6,8]",
        "[6,8],\"parts\":[{\"hf\":\"x\",\"live\":{\"dim\":0,\"start\":5,\"length\":2}}]",
        ": tensor \"w\": part \"x\" takes [5:7, 0:8] of a tensor of shape [6, 8]"
    )]
    [InlineData(
        "[6,8]",
        "[6,8],\"parts\":[{\"hf\":\"x\",\"file\":{\"start\":[0],\"length\":[47]}}]",
        ": tensor \"w\": part \"x\" has 48 elements in memory and 47 on disk"
    )]
    [InlineData(
        "[6,8]",
        "[6,8],\"parts\":[{\"hf\":\"x\",\"file\":{\"start\":[0],\"length\":[4,8]}}]",
        ": tensor \"w\": part \"x\" has a \"file\" with 1 starts and 2 lengths"
    )]
    [InlineData(
        "[6,8]",
        "[6,8],\"parts\":[{\"hf\":\"x\",\"proof\":\"believe me\"}]",
        ": tensor \"w\": part \"x\" has the unknown proof \"believe me\""
    )]
    public void What_is_wrong_is_said_with_its_place(string from, string to, string? message)
    {
        string text = Least.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEqual(Least, text);
        CheckpointException failure = Assert.Throws<CheckpointException>(() => Read(text));
        Assert.Equal(CheckpointError.HandlesMalformed, failure.Error);
        if (message is not null)
        {
            Assert.Equal($"{folder.File("h.json")}{(message[0] == ':' ? "" : " ")}{message}", failure.Message);
        }
    }

    [Fact]
    public void Any_cut_and_any_changed_byte_gives_handles_or_our_error()
    {
        byte[] good = Encoding.UTF8.GetBytes(Least);
        Random random = new(1);
        for (int i = 0; i < 500; i++)
        {
            byte[] bytes = [.. good[..(i % 2 == 0 ? random.Next(good.Length) : good.Length)]];
            if (i % 2 == 1)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(folder.File("h.json"), bytes);
            try
            {
                using IDiskFile file = Disk.Instance.Open(folder.File("h.json"));
                Assert.NotEmpty(HandlesFile.Parse(file, CancellationToken.None).Tensors);
            }
            catch (CheckpointException e)
            {
                Assert.Equal(CheckpointError.HandlesMalformed, e.Error);
            }
        }
    }

    [Theory]
    [InlineData("""["a.json","a.json"]""", "names 2 ranks; 1 to 4096 different ones are allowed")]
    [InlineData("[]", "names 0 ranks; 1 to 4096 different ones are allowed")]
    [InlineData("""["../a.json"]""", "names the rank \"../a.json\"; only a plain file name in the same folder is allowed")]
    public void An_index_names_plain_files_beside_it(string ranks, string message)
    {
        HandlesText.Write(
            folder.Path,
            JsonNode.Parse($$"""{"format":"apollo-handles-index","version":2,"ranks":{{ranks}}}""")!,
            "index.json"
        );
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0x1C0);
        CheckpointException failure = Assert.Throws<CheckpointException>(() =>
            HandlesFile.Read(folder.Path, FileRules.For(null), CancellationToken.None)
        );
        Assert.Equal($"{folder.File("index.json")} {message}", failure.Message);
    }

    [Fact]
    public void A_missing_file_gives_the_sentence_that_people_search_for()
    {
        CheckpointException failure = Assert.Throws<CheckpointException>(() =>
            HandlesFile.Read("/tmp/no-such-handles.pt", FileRules.For(null), CancellationToken.None)
        );
        Assert.Equal(
            (CheckpointError.HandlesNotFound, "Weight handles not found: /tmp/no-such-handles.pt. Is vLLM running with the export hook?"),
            (failure.Error, failure.Message)
        );
    }

    private HandlesFile Read(string json)
    {
        File.WriteAllText(folder.File("h.json"), json);
        using IDiskFile file = Disk.Instance.Open(folder.File("h.json"));
        return HandlesFile.Parse(file, CancellationToken.None);
    }
}
