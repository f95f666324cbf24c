using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Processes;

/// <summary>The real tool, with the stand-in driver on its library path: what a user sees who has a GPU, or has none.</summary>
[Trait("Ring", "cuda")]
public sealed partial class CudaProcessTests : IDisposable
{
    private static readonly TinyTensor[] Tensors =
    [
        new("model.embed_tokens.weight", ElementType.BF16, 1024, 1100), // two chunks
        new("model.layers.0.mlp.down_proj.weight", ElementType.BF16, 32, 96),
        new("model.norm.weight", ElementType.F32, 64),
    ];

    private readonly TempDirectory temp = new();
    private readonly TinyModel model;
    private readonly FakeCudaMemory memory;
    private readonly LiveProducer producer;

    public CudaProcessTests()
    {
        model = TinyModel.Write(temp.File("model"), Tensors);
        memory = new FakeCudaMemory(temp.File("gpu"));
        producer = LiveProducer.Publish(temp.File("handles"), model, gpu: memory, allocations: 2);
        producer.Step(0.01, 3);
    }

    public void Dispose()
    {
        producer.Dispose();
        temp.Dispose();
    }

    [SkippableTheory]
    [InlineData("auto", "GPU-5f3c1d2e-0000-1111-2222-333344445555; the handles name CUDA memory")]
    [InlineData("native", "GPU-5f3c1d2e-0000-1111-2222-333344445555; asked for by --source native")]
    public void Sync_reads_the_device_and_leaves_nothing_open(string source, string detail)
    {
        ToolRun run = Run(Environment(), "sync", "--source", source, "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        JsonNode report = JsonNode.Parse(run.Out)!;
        Assert.Equal(("native CUDA", detail), ((string?)report["source"], (string?)report["sourceDetail"]));
        ModelDirectory written = ModelDirectory.Open(Engine.Storage.Disk.Instance, model.Path);
        byte[] file = File.ReadAllBytes(Path.Combine(model.Path, ModelDirectory.SingleName));
        foreach (TensorEntry entry in written.Layout.Shards[0].Header.Tensors)
        {
            byte[] live = producer.BytesOf(entry.Name);
            Assert.True(file.AsSpan((int)entry.FileOffset, live.Length).SequenceEqual(live), entry.Name);
        }

        FakeCudaReport ledger = FakeCudaReport.Read(temp.File("report"));
        long bytes = Tensors.Sum(tensor => tensor.ByteLength);
        Assert.Empty(ledger.Findings);
        Assert.Equal((2, bytes, bytes), (ledger["opens"], ledger["bytes"], ledger["distinct"]));
    }

    [SkippableFact]
    public async Task Each_failure_says_what_and_what_to_do_next()
    {
        (string Name, string Setting, Action Spoil)[] cases =
        [
            ("driver older than CUDA 11.4", "FAKE_CUDA_VERSION=11030", () => { }),
            ("no device", "FAKE_CUDA_DEVICES=", () => { }),
            ("device taken exclusively", "FAKE_CUDA_FAIL=cuDevicePrimaryCtxRetain=46", () => { }),
            ("no room on the device", "FAKE_CUDA_FAIL=cuDevicePrimaryCtxRetain=2", () => { }),
            ("library and kernel module differ", "FAKE_CUDA_FAIL=cuInit=803", () => { }),
            ("no memory to pin", "FAKE_CUDA_FAIL=cuMemHostAlloc#2=2", () => { }),
            ("device not visible", "FAKE_CUDA_DEVICES=00000000-1111-2222-3333-444444444444", () => { }),
            ("copy that fails midway", "FAKE_CUDA_FAIL=cuEventSynchronize#2=719", () => { }),
            ("memory freed while it is read", "FAKE_CUDA_FAIL=cuMemcpyDtoHAsync_v2#3=700", () => { }),
            (
                "block on another device",
                "FAKE_CUDA_DEVICES=5f3c1d2e-0000-1111-2222-333344445555,00000000-1111-2222-3333-444444444444",
                () => Directory.Move(Path.Combine(memory.Folder, "0"), Path.Combine(memory.Folder, "1"))
            ),
            (
                "block shorter than the handles say",
                "",
                () =>
                {
                    Directory.Move(Path.Combine(memory.Folder, "1"), Path.Combine(memory.Folder, "0"));
                    string[] blocks = Directory.GetFiles(Path.Combine(memory.Folder, "0"));
                    using FileStream largest = File.OpenWrite(blocks.MaxBy(path => new FileInfo(path).Length) ?? "");
                    largest.SetLength(4096);
                }
            ),
            ("producer that is gone", "", () => Directory.Delete(memory.Folder, recursive: true)),
        ];
        StringBuilder said = new();
        foreach ((string name, string setting, Action spoil) in cases)
        {
            spoil();
            File.Delete(temp.File("report"));
            ToolRun run = Run(Environment(setting), "sync");
            Assert.Equal(11, run.ExitCode);
            Assert.Empty(FakeCudaReport.Read(temp.File("report")).Findings);
            said.Append(CultureInfo.InvariantCulture, $"# {name}\n{Scrub(run.Error)}\n");
        }

        await Verify(said.ToString());
    }

    [SkippableFact]
    public async Task Without_a_driver_the_machine_is_named_and_torch_beside_it()
    {
        Skip.If(System.Runtime.InteropServices.NativeLibrary.TryLoad("libcuda.so.1", out _), "this machine has a CUDA driver");
        string torch = temp.File("handles", "weights.pt");
        CudaHandles.WriteOfLivingProducer(torch);
        StringBuilder said = new();
        foreach (
            string[] options in (string[][])
                [
                    ["--source", "native"],
                    ["--python", "/bin/false"],
                ]
        )
        {
            ToolRun run = ToolProcess.Run(["sync", "--model-dir", model.Path, "--handles", torch, .. options]);
            Assert.Equal(11, run.ExitCode);
            said.Append(CultureInfo.InvariantCulture, $"# {string.Join(' ', options)}\n{Scrub(run.Error)}\n");
        }

        await Verify(said.ToString());
    }

    [SkippableFact]
    public void Doctor_names_the_driver_and_what_is_not_proven()
    {
        ToolRun run = Run(Environment(), "doctor");
        Assert.Contains(
            " ok    gpu       CUDA driver 12.4, 1 device: Stand-in 0 (GPU-5f3c1d2e-0000-1111-2222-333344445555); "
                + "native CUDA proven against the stand-in only, never on a GPU yet\n",
            run.Out,
            StringComparison.Ordinal
        );
        Assert.Equal(0, FakeCudaReport.Read(temp.File("report"))["cuDevicePrimaryCtxRetain"]);
    }

    private ToolRun Run(string[] environment, string verb, params string[] options)
    {
        string[] arguments = [verb, "--model-dir", model.Path, "--handles", temp.File("handles"), .. options];
        using ToolProcess tool = ToolProcess.StartIn(environment, arguments);
        return tool.WaitForEnd();
    }

    private string[] Environment(string setting = "")
    {
        string[] all = [memory.Setting, $"FAKE_CUDA_REPORT={temp.File("report")}", $"LD_LIBRARY_PATH={FakeCuda.LibraryFolder}", setting];
        return [.. all.Where(text => text.Length > 0)];
    }

    /// <summary>Handles are random, and so are the names of folders.</summary>
    private string Scrub(string text) =>
        Fingerprint().Replace(text.Replace(temp.Path, "TEMP", StringComparison.Ordinal), "block FINGERPRINT");

    [GeneratedRegex("block [0-9a-f]{16}")]
    private static partial Regex Fingerprint();
}
