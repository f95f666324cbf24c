using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Weights.Cuda;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Cuda;

/// <summary>Version 2 handles whose memory is the stand-in's.</summary>
internal static class CudaHandles
{
    /// <summary>Publishes tensors in one block, and shows the memory to the stand-in in this process.</summary>
    /// <returns>The JSON, which a test may still spoil.</returns>
    internal static JsonObject Publish(string folder, IReadOnlyList<ContractTensor> tensors, params string[] settings)
    {
        FakeCudaMemory memory = new(Path.Combine(folder, "gpu"));
        FakeCuda.Setup([memory.Setting, .. settings]);
        JsonObject handles = HandlesText.Publish(folder, tensors);
        Move(handles, memory);
        return handles;
    }

    /// <summary>Moves the file allocations of handles into blocks of a device.</summary>
    internal static void Move(JsonObject handles, FakeCudaMemory memory, int device = 0, string? uuid = FakeCuda.DefaultDevice)
    {
        JsonArray allocations = handles["allocations"]!.AsArray();
        for (int i = 0; i < allocations.Count; i++)
        {
            JsonObject file = allocations[i]!.AsObject();
            byte[] content = File.ReadAllBytes((string)file["path"]!)[(int)file["file_offset"]!..];
            allocations[i] = new JsonObject
            {
                ["id"] = (int)file["id"]!,
                ["kind"] = "cuda-ipc",
                ["handle"] = Convert.ToBase64String(memory.Allocate(content, device)),
                ["device_uuid"] = uuid,
                ["size"] = content.Length,
            };
        }
    }

    /// <summary>Reads a handles file as the engine does.</summary>
    internal static HandlesFile Read(string path) => HandlesFile.Read(path, FileRules.For(null), CancellationToken.None);

    /// <summary>Opens a handles file by the stand-in.</summary>
    internal static CudaWeightSource Open(string path, ICudaDriver? driver = null) =>
        CudaWeightSource.Open(Read(path), driver ?? CudaDriver.Instance);
}
