using System.Diagnostics;
using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Tests.Processes;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Tool.Tests.Faults;

/// <summary>A trainer in a process of its own that writes all the time, and what its versions are called.</summary>
[Trait("Ring", "crash")]
public sealed class HogwildTests(ITestOutputHelper output) : IDisposable
{
    private const int Syncs = 8;
    private readonly TempDirectory temp = TempDirectory.InMemory();

    private string Home => temp.File("model");

    public void Dispose() => temp.Dispose();

    [SkippableFact]
    public void A_trainer_that_never_holds_still_is_never_called_consistent_where_it_is_torn()
    {
        Skip.If(FaultShim.Hogwild is null, "the trainer needs a C compiler (cc)");
        TinyTensor[] tensors = [new("a", ElementType.BF16, 1024, 1024), new("b", ElementType.BF16, 1024, 1024)];
        TinyModel model = TinyModel.Write(Home, tensors);
        using LiveProducer producer = LiveProducer.Publish(temp.File("handles"), model);
        using Process trainer = Process.Start(
            FaultShim.Hogwild!,
            [temp.File("handles", "rank0.weights"), temp.File("handles", "state.bin")]
        );
        try
        {
            for (int i = 0; i < Syncs; i++)
            {
                ToolRun run = ToolProcess.Run("sync", "--model-dir", Home, "--handles", temp.File("handles"), "--max-stall", "200ms");
                Assert.True(run.ExitCode == 0, run.Error);
            }
        }
        finally
        {
            trainer.Kill();
            trainer.WaitForExit();
        }

        (long Version, string Label)[] versions = [.. Versions()];
        (long Version, string Label)[] torn = [.. versions.Where(row => IsTorn(row.Version))];
        output.WriteLine($"{versions.Length} versions: {string.Join(", ", versions.Select(row => row.Label))}; torn: {torn.Length}");
        Assert.DoesNotContain(torn, row => !row.Label.StartsWith("mixed", StringComparison.Ordinal));
        Assert.Contains(versions, row => row.Label.StartsWith("mixed", StringComparison.Ordinal));
    }

    private IEnumerable<(long, string)> Versions()
    {
        using System.Text.Json.JsonDocument log = System.Text.Json.JsonDocument.Parse(
            ToolProcess.Run("log", "--model-dir", Home, "--json").Out
        );
        return
        [
            .. log
                .RootElement.GetProperty("versions")
                .EnumerateArray()
                .Select(row => (row.GetProperty("version").GetInt64(), row.GetProperty("label").GetString() ?? ""))
                .Where(row => row.Item1 > 0),
        ];
    }

    /// <summary>Whether the elements of a version bear more than one step's stamp.</summary>
    private bool IsTorn(long version)
    {
        string copy = temp.File($"version-{version}");
        new HistoryEngine(Home).RestoreCopy(version, copy, null, default);
        SafetensorsHeader header = ModelDirectory.Open(Engine.Storage.Disk.Instance, copy).Layout.Shards.Single().Header;
        byte[] file = File.ReadAllBytes(Path.Combine(copy, ModelDirectory.SingleName));
        ReadOnlySpan<ushort> elements = MemoryMarshal.Cast<byte, ushort>(file.AsSpan((int)header.Tensors.Min(tensor => tensor.FileOffset)));
        Directory.Delete(copy, recursive: true);
        return elements.ContainsAnyExcept(elements[0]);
    }
}
