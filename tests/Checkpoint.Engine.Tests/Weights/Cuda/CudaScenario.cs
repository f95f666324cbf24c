using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Cuda;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Cuda;

/// <summary>
/// All that the source does, once: two devices, a block with two tensors on each, one read whole, one read ahead, and a copy still under way
/// when everything is closed.
/// </summary>
internal sealed class CudaScenario : IDisposable
{
    private const string Devices = "10000000-0000-0000-0000-000000000000,20000000-0000-0000-0000-000000000000";

    private static readonly ContractTensor[] Tensors =
    [
        ContractTensor.Of("a", ElementType.BF16, 1, 256, 64),
        ContractTensor.Strided("b", ElementType.F32, 2, [16, 3], [9, 1]),
    ];

    private readonly TempDirectory folder = TempDirectory.InMemory();
    private readonly FakeCudaMemory memory;
    private readonly string path;

    public CudaScenario()
    {
        memory = new FakeCudaMemory(folder.File("gpu"));
        JsonNode? index = null;
        for (int device = 0; device < 2; device++)
        {
            JsonObject handles = HandlesText.Publish(folder.Path, Tensors, device);
            CudaHandles.Move(handles, memory, device, Devices.Split(',')[device]);
            HandlesText.Write(folder.Path, handles, $"weights.rank{device}.json");
            index = new JsonObject
            {
                ["format"] = "apollo-handles-index",
                ["version"] = 2,
                ["ranks"] = new JsonArray("weights.rank0.json", "weights.rank1.json"),
            };
        }

        HandlesText.Write(folder.Path, index!, "index.json");
        path = folder.Path;
    }

    /// <summary>Runs it against the stand-in.</summary>
    /// <returns>Keys of all findings; "wrong bytes" where what was read is not what is there.</returns>
    internal IReadOnlyCollection<string> Run(ICudaDriver driver, params string[] settings)
    {
        FakeCuda.Setup([memory.Setting, $"FAKE_CUDA_DEVICES={Devices}", .. settings]);
        bool isRight;
        using (CudaWeightSource source = CudaHandles.Open(path, driver))
        {
            isRight = ReadAll(source);
        }

        return [.. FakeCuda.Report().Keys.Concat(isRight ? Array.Empty<string>() : ["wrong bytes"]).Distinct()];
    }

    public void Dispose() => folder.Dispose();

    private static bool ReadAll(CudaWeightSource source)
    {
        bool isRight = true;
        foreach (LiveTensor live in source.Tensors)
        {
            byte[] bytes = new byte[live.ByteLength];
            source.Read(live, 0, bytes);
            isRight &= bytes.AsSpan().SequenceEqual(Expected(live));
        }

        using IReadAhead ahead = source.OpenReadAhead();
        LiveTensor[] large = [.. source.Tensors.Where(live => live.Name == "a")];
        ahead.Start(large[0], 0, 4096);
        ahead.Start(large[1], 4096, 4096);
        isRight &= ahead.Take().Span.SequenceEqual(Expected(large[0]).AsSpan(0, 4096));
        ahead.Start(large[0], 4096, 4096);
        isRight &= ahead.Take().Span.SequenceEqual(Expected(large[1]).AsSpan(4096, 4096));
        return isRight; // and leaves one copy under way
    }

    private static byte[] Expected(LiveTensor live) => Tensors.Single(tensor => tensor.Name == live.Name).Contiguous();
}
