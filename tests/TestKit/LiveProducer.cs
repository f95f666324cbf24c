using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights.Consistency;

namespace ApolloCheckpoint.TestKit;

/// <summary>
/// A producer whose weights are a file: a handles directory of version 2 with one file allocation, and a state page. What is written into
/// the file is live at once. It plays the vLLM hook and the trainer at the same time.
/// </summary>
public sealed class LiveProducer : IDisposable
{
    private readonly Dictionary<string, (TinyTensor Tensor, long Offset)> places = new(StringComparer.Ordinal);
    private readonly StatePageWriter? page;
    private readonly FileStream memory;

    private LiveProducer(string folder, TinyModel model, bool hasStatePage, string? loadedRoot)
    {
        Folder = Directory.CreateDirectory(folder).FullName;
        File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string path = Path.Combine(Folder, "rank0.weights");
        memory = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        foreach (TinyTensor tensor in model.Tensors)
        {
            places.Add(tensor.Name, (tensor, memory.Position));
            memory.Write(model.BytesOf(tensor.Name));
        }

        page = hasStatePage ? StatePageWriter.Create(Path.Combine(Folder, "state.bin"), 0, TimeProvider.System) : null;
        Write("weights.rank0.json", Handles(path, hasStatePage, loadedRoot));
        Write(
            "index.json",
            new JsonObject
            {
                ["format"] = "apollo-handles-index",
                ["version"] = 2,
                ["ranks"] = new JsonArray("weights.rank0.json"),
            }
        );
        Protect(path);
    }

    /// <summary>The handles directory: what --handles takes.</summary>
    public string Folder { get; }

    /// <summary>Publishes every tensor of the model under its own name, with the bytes that the model was written with.</summary>
    /// <param name="folder">Where; made when it is not there.</param>
    /// <param name="model">The model it "loaded".</param>
    /// <param name="hasStatePage">Whether it publishes a state page.</param>
    /// <param name="loadedRoot">The root of the version that it says it loaded, or null.</param>
    public static LiveProducer Publish(string folder, TinyModel model, bool hasStatePage = true, string? loadedRoot = null) =>
        new(folder, model, hasStatePage, loadedRoot);

    /// <summary>The live bytes of a tensor now.</summary>
    public byte[] BytesOf(string name)
    {
        (TinyTensor tensor, long offset) = places[name];
        byte[] bytes = new byte[tensor.ByteLength];
        memory.Position = offset;
        memory.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>One optimizer step on every tensor, inside the bracket of the state page.</summary>
    /// <returns>Number of elements that changed.</returns>
    public long Step(double share, int seed)
    {
        Random random = new(seed);
        long changed = 0;
        using IDisposable? bracket = page?.Begin(CancellationToken.None);
        foreach ((string name, (TinyTensor tensor, long offset)) in places)
        {
            byte[] bytes = BytesOf(name);
            changed += TrainerStep.Apply(bytes, tensor.Type, share, random);
            memory.Position = offset;
            memory.Write(bytes);
        }

        return changed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        page?.Dispose();
        memory.Dispose();
    }

    private JsonObject Handles(string path, bool hasStatePage, string? loadedRoot) =>
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
            ["allocations"] = new JsonArray(
                new JsonObject
                {
                    ["id"] = 0,
                    ["kind"] = "file",
                    ["path"] = path,
                    ["file_offset"] = 0,
                    ["size"] = memory.Length,
                }
            ),
            ["tensors"] = new JsonArray([
                .. places.Values.Select(place => new JsonObject
                {
                    ["name"] = place.Tensor.Name,
                    ["alloc"] = 0,
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
