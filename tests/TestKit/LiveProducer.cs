using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights.Consistency;

namespace ApolloCheckpoint.TestKit;

/// <summary>
/// A producer whose weights are files: a handles directory of version 2 with file allocations, or with blocks of a GPU that the stand-in
/// driver shows, and a state page. What is written into the files is live at once. It plays the vLLM hook and the trainer at the same time.
/// </summary>
public sealed class LiveProducer : IDisposable
{
    private readonly Dictionary<string, (TinyTensor Tensor, int Memory, long Offset)> places = new(StringComparer.Ordinal);
    private readonly List<FileStream> memories = [];
    private readonly StatePageWriter? page;

    private LiveProducer(string folder, TinyModel model, bool hasStatePage, string? loadedRoot, FakeCudaMemory? gpu, int allocations)
    {
        Folder = Directory.CreateDirectory(folder).FullName;
        File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        JsonArray rows = [];
        for (int i = 0; i < allocations; i++)
        {
            TinyTensor[] part = [.. model.Tensors.Where((_, index) => index * allocations / model.Tensors.Count == i)];
            byte[] handle = gpu?.Allocate([]) ?? [];
            string path = gpu?.PathOf(handle) ?? Path.Combine(Folder, i == 0 ? "rank0.weights" : $"rank0.{i}.weights");
            FileStream memory = new(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            memories.Add(memory);
            foreach (TinyTensor tensor in part)
            {
                places.Add(tensor.Name, (tensor, i, memory.Position));
                memory.Write(model.BytesOf(tensor.Name));
            }

            Protect(path);
            rows.Add(gpu is null ? FileRow(i, path, memory.Length) : CudaRow(i, handle, memory.Length));
        }

        page = hasStatePage ? StatePageWriter.Create(Path.Combine(Folder, "state.bin"), 0, TimeProvider.System) : null;
        Write("weights.rank0.json", Handles(rows, hasStatePage, loadedRoot));
        Write(
            "index.json",
            new JsonObject
            {
                ["format"] = "apollo-handles-index",
                ["version"] = 2,
                ["ranks"] = new JsonArray("weights.rank0.json"),
            }
        );
    }

    /// <summary>The handles directory: what --handles takes.</summary>
    public string Folder { get; }

    /// <summary>Publishes every tensor of the model under its own name, with the bytes that the model was written with.</summary>
    /// <param name="folder">Where; made when it is not there.</param>
    /// <param name="model">The model it "loaded".</param>
    /// <param name="hasStatePage">Whether it publishes a state page.</param>
    /// <param name="loadedRoot">The root of the version that it says it loaded, or null.</param>
    /// <param name="gpu">Where its memory lies, or null: in files of the folder.</param>
    /// <param name="allocations">Number of files or blocks that the tensors lie in, in the order of the model.</param>
    public static LiveProducer Publish(
        string folder,
        TinyModel model,
        bool hasStatePage = true,
        string? loadedRoot = null,
        FakeCudaMemory? gpu = null,
        int allocations = 1
    ) => new(folder, model, hasStatePage, loadedRoot, gpu, allocations);

    /// <summary>The live bytes of a tensor now.</summary>
    public byte[] BytesOf(string name)
    {
        (TinyTensor tensor, int memory, long offset) = places[name];
        byte[] bytes = new byte[tensor.ByteLength];
        memories[memory].Position = offset;
        memories[memory].ReadExactly(bytes);
        return bytes;
    }

    /// <summary>One optimizer step on every tensor, inside the bracket of the state page.</summary>
    /// <returns>Number of elements that changed.</returns>
    public long Step(double share, int seed)
    {
        Random random = new(seed);
        long changed = 0;
        using IDisposable? bracket = page?.Begin(CancellationToken.None);
        foreach ((string name, (TinyTensor tensor, int memory, long offset)) in places)
        {
            byte[] bytes = BytesOf(name);
            changed += TrainerStep.Apply(bytes, tensor.Type, share, random);
            memories[memory].Position = offset;
            memories[memory].Write(bytes);
        }

        return changed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        page?.Dispose();
        memories.ForEach(memory => memory.Dispose());
    }

    private static JsonObject FileRow(int id, string path, long size) =>
        new()
        {
            ["id"] = id,
            ["kind"] = "file",
            ["path"] = path,
            ["file_offset"] = 0,
            ["size"] = size,
        };

    private static JsonObject CudaRow(int id, byte[] handle, long size) =>
        new()
        {
            ["id"] = id,
            ["kind"] = "cuda-ipc",
            ["handle"] = Convert.ToBase64String(handle),
            ["device_uuid"] = FakeCuda.DefaultDevice,
            ["size"] = size,
        };

    private JsonObject Handles(JsonArray allocations, bool hasStatePage, string? loadedRoot) =>
        new()
        {
            ["format"] = "apollo-handles",
            ["version"] = 2,
            ["producer"] = new JsonObject
            {
                ["kind"] = "trainer",
                ["pid"] = Environment.ProcessId,
                ["boot_id"] = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(),
                ["loaded_root"] = loadedRoot,
            },
            ["state"] = hasStatePage ? new JsonObject { ["path"] = "state.bin", ["protocol"] = "flock+seqlock" } : null,
            ["allocations"] = allocations,
            ["tensors"] = new JsonArray([
                .. places.Values.Select(place => new JsonObject
                {
                    ["name"] = place.Tensor.Name,
                    ["alloc"] = place.Memory,
                    ["offset"] = place.Offset,
                    ["dtype"] = place.Tensor.Type.Name(),
                    ["shape"] = new JsonArray([.. place.Tensor.Shape.Select(size => (JsonNode)size)]),
                }),
            ]),
        };

    private void Write(string name, JsonObject content)
    {
        string path = Path.Combine(Folder, name);
        File.WriteAllText(path, content.ToJsonString());
        Protect(path);
    }

    private static void Protect(string path) => File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
}
