using System.Text;
using System.Text.Json;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit;

/// <summary>A small model directory, written for one test: seeded plausible weights, one file or shards with an index, config.json.</summary>
public sealed class TinyModel
{
    private readonly Dictionary<string, byte[]> bytes;

    private TinyModel(string path, IReadOnlyList<TinyTensor> tensors, Dictionary<string, byte[]> bytes)
    {
        Path = path;
        Tensors = tensors;
        this.bytes = bytes;
    }

    /// <summary>The directory.</summary>
    public string Path { get; }

    /// <summary>The tensors in file order.</summary>
    public IReadOnlyList<TinyTensor> Tensors { get; }

    /// <summary>Three tensors that cover the usual cases: several chunks are not among them; about 20 kB.</summary>
    public static IReadOnlyList<TinyTensor> Small { get; } =
    [
        new("model.embed_tokens.weight", ElementType.BF16, 64, 64),
        new("model.layers.0.mlp.down_proj.weight", ElementType.BF16, 32, 96),
        new("model.norm.weight", ElementType.F32, 64),
    ];

    /// <summary>The bytes that the tensor had when the model was written. A copy.</summary>
    public byte[] BytesOf(string name) => [.. bytes[name]];

    /// <summary>Writes a model directory; the folder is created when it is not there.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="tensors">What it holds, in file order.</param>
    /// <param name="seed">Of the weights.</param>
    /// <param name="shards">Number of files; 1 gives model.safetensors without an index.</param>
    /// <param name="disk">Where; the real disk when null.</param>
    /// <param name="config">Text of config.json; a minimal one when null.</param>
    public static TinyModel Write(
        string path,
        IReadOnlyList<TinyTensor> tensors,
        int seed = 1,
        int shards = 1,
        IDisk? disk = null,
        string? config = null
    )
    {
        Random random = new(seed);
        Dictionary<string, byte[]> bytes = new(StringComparer.Ordinal);
        foreach (TinyTensor tensor in tensors)
        {
            byte[] data = new byte[tensor.ByteLength];
            PlausibleWeights.Fill(data, tensor.Type, random);
            bytes.Add(tensor.Name, data);
        }

        TinyModel model = new(path, tensors, bytes);
        model.WriteTo(disk ?? Disk.Instance, shards, config ?? """{"architectures":["TinyForCausalLM"],"torch_dtype":"bfloat16"}""");
        return model;
    }

    private void WriteTo(IDisk disk, int shards, string config)
    {
        disk.CreateFolder(Path);
        Dictionary<string, string> index = new(StringComparer.Ordinal);
        for (int shard = 0; shard < shards; shard++)
        {
            string file = shards == 1 ? ModelDirectory.SingleName : $"model-{shard + 1:D5}-of-{shards:D5}.safetensors";
            TinyTensor[] part = [.. Tensors.Where((_, i) => i * shards / Tensors.Count == shard)];
            WriteFile(disk, file, SafetensorsBytes.Build(part.Select(tensor => (tensor, bytes[tensor.Name]))));
            foreach (TinyTensor tensor in part)
            {
                index.Add(tensor.Name, file);
            }
        }

        if (shards > 1)
        {
            object root = new { metadata = new { total_size = bytes.Values.Sum(data => (long)data.Length) }, weight_map = index };
            WriteFile(disk, ModelDirectory.IndexName, JsonSerializer.SerializeToUtf8Bytes(root));
        }

        WriteFile(disk, "config.json", Encoding.UTF8.GetBytes(config));
        disk.FlushFolder(Path);
        disk.FlushFolder(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)) ?? "/");
    }

    private void WriteFile(IDisk disk, string name, byte[] content)
    {
        using IDiskFile file = disk.Create(System.IO.Path.Combine(Path, name));
        file.Write(content, 0);
        file.Flush();
    }
}
