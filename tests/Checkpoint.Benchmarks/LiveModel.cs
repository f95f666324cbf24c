using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Weights.Consistency;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// A model directory as the old program's own maker lays it out (bf16, shards of at most 1 GB), a live copy in one file a tensor, and the
/// handles of both programs on it. Both copies lie in the temporary directory, and in the page cache.
/// </summary>
internal sealed class LiveModel : IDisposable
{
    private const int Hidden = 2048;
    private const int Intermediate = 6144;
    private const long ShardBytes = 1_000_000_000;
    private readonly List<(string Name, long[] Shape)> tensors = [];
    private readonly string root;
    private readonly StatePageWriter page;
    private readonly bool isSparse;

    /// <summary>Makes a model of about so many bytes.</summary>
    /// <param name="bytes">The size.</param>
    /// <param name="isSparse">All weights are zero, in files that are holes: a size that costs no disk and little time.</param>
    public LiveModel(double bytes, bool isSparse = false)
        : this(Layers(bytes), isSparse: isSparse) { }

    /// <summary>Makes a model of these tensors.</summary>
    public LiveModel(IEnumerable<(string Name, long[] Shape)> tensors, long shardBytes = ShardBytes, bool isSparse = false)
    {
        this.isSparse = isSparse;
        this.tensors.AddRange(tensors);
        root = Directory.CreateTempSubdirectory("apollo-bench-").FullName;
        Directory.CreateDirectory(ModelPath);
        Directory.CreateDirectory(LivePath);
        WriteModel(shardBytes);
        page = StatePageWriter.Create(Path.Combine(LivePath, "state.bin"), 0, TimeProvider.System);
        page.Begin(CancellationToken.None).Dispose();
        Save("index.json", """{"format":"apollo-handles-index","version":2,"ranks":["weights.rank0.json"]}""");
        Save("weights.rank0.json", Handles().ToJsonString());
    }

    /// <summary>The model directory.</summary>
    public string ModelPath => Path.Combine(root, "model");

    /// <summary>The live files, and the handles directory of version 2.</summary>
    public string LivePath => Path.Combine(root, "live");

    /// <summary>Bytes of all tensors.</summary>
    public long Bytes => tensors.Sum(tensor => BytesOf(tensor.Shape));

    /// <summary>The shards.</summary>
    public IEnumerable<string> ShardFiles => Directory.EnumerateFiles(ModelPath, "*.safetensors");

    /// <summary>The live files.</summary>
    public IEnumerable<string> LiveFiles => tensors.Select(tensor => LiveFile(tensor.Name));

    /// <summary>The path of a tensor's live bytes.</summary>
    public string LiveFile(string name) => Path.Combine(LivePath, name + ".bin");

    /// <summary>Flips one bit in a share of the blocks of 4 KiB, as the old program's own changer does; twice is back again.</summary>
    /// <returns>Bytes of the blocks.</returns>
    public long ChangeBlocks(double share)
    {
        Random random = new(3);
        long blocks = 0;
        Change(bytes =>
        {
            for (int start = 0; start < bytes.Length; start += 4096)
            {
                if (random.NextDouble() < share)
                {
                    bytes[start + 2 * random.Next(Math.Min(4096, bytes.Length - start) / 2)] ^= 1;
                    blocks++;
                }
            }
        });
        return blocks * 4096;
    }

    /// <summary>Sets a byte in a share of the blocks of 4 KiB, without reading or writing the others.</summary>
    public void Touch(double share, byte value)
    {
        Random random = new(3);
        using IDisposable bracket = page.Begin(CancellationToken.None);
        foreach (string file in LiveFiles)
        {
            using FileStream live = new(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
            long blocks = live.Length / 4096;
            for (long touched = (long)(blocks * share); touched > 0; touched--)
            {
                live.Position = random.NextInt64(blocks) * 4096 + 2;
                live.WriteByte(value);
            }
        }
    }

    /// <summary>One step as training makes it: a normal update to masters somewhere inside each weight's rounding cell.</summary>
    /// <param name="deviation">Its standard deviation.</param>
    /// <param name="seed">Another one, another step.</param>
    /// <returns>The share of elements that changed.</returns>
    public double Train(float deviation, int seed)
    {
        long changed = 0;
        Change(bytes =>
            Interlocked.Add(ref changed, TrainingNoise.Apply(MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan()), deviation, seed))
        );
        return 2.0 * changed / Bytes;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        page.Dispose();
        Directory.Delete(root, recursive: true);
    }

    private static long BytesOf(long[] shape) => shape.Aggregate(2L, (product, size) => product * size);

    private static IEnumerable<(string, long[])> Layers(double bytes)
    {
        double layerBytes = 2 * (4.0 * Hidden * Hidden + 3.0 * Hidden * Intermediate);
        for (int layer = 0; layer < Math.Max(1, (int)(bytes / layerBytes)); layer++)
        {
            string prefix = $"model.layers.{layer}.";
            foreach (char projection in "qkvo")
            {
                yield return ($"{prefix}self_attn.{projection}_proj.weight", [Hidden, Hidden]);
            }

            yield return ($"{prefix}mlp.gate_proj.weight", [Intermediate, Hidden]);
            yield return ($"{prefix}mlp.up_proj.weight", [Intermediate, Hidden]);
            yield return ($"{prefix}mlp.down_proj.weight", [Hidden, Intermediate]);
            yield return ($"{prefix}input_layernorm.weight", [Hidden]);
        }
    }

    /// <summary>Every tensor's live bytes in turn, inside the bracket of one step.</summary>
    private void Change(Action<byte[]> change)
    {
        using IDisposable bracket = page.Begin(CancellationToken.None);
        foreach (string file in LiveFiles)
        {
            byte[] bytes = File.ReadAllBytes(file);
            byte[] before = [.. bytes];
            change(bytes);
            if (!bytes.AsSpan().SequenceEqual(before))
            {
                using FileStream live = new(file, FileMode.Open, FileAccess.Write);
                live.Write(bytes);
                // A trainer's memory is written to no disk: this must not run into what is measured.
                live.Flush(flushToDisk: true);
            }
        }
    }

    private void WriteModel(long shardBytes)
    {
        List<List<(string Name, long[] Shape)>> shards =
        [
            [],
        ];
        long size = 0;
        foreach ((string Name, long[] Shape) tensor in tensors)
        {
            if (size + BytesOf(tensor.Shape) > shardBytes && shards[^1].Count > 0)
            {
                shards.Add([]);
                size = 0;
            }

            shards[^1].Add(tensor);
            size += BytesOf(tensor.Shape);
        }

        JsonObject map = [];
        TrainingNoise noise = new(seed: 1);
        for (int number = 0; number < shards.Count; number++)
        {
            string file = $"model-{number + 1:D5}-of-{shards.Count:D5}.safetensors";
            WriteShard(Path.Combine(ModelPath, file), shards[number], noise);
            shards[number].ForEach(tensor => map[tensor.Name] = file);
        }

        JsonObject index = new()
        {
            ["metadata"] = new JsonObject { ["total_size"] = Bytes },
            ["weight_map"] = map,
        };
        File.WriteAllText(Path.Combine(ModelPath, "model.safetensors.index.json"), index.ToJsonString());
    }

    private void WriteShard(string path, List<(string Name, long[] Shape)> content, TrainingNoise noise)
    {
        JsonObject header = new() { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        long offset = 0;
        foreach ((string name, long[] shape) in content)
        {
            header[name] = new JsonObject
            {
                ["dtype"] = "BF16",
                ["shape"] = Numbers(shape),
                ["data_offsets"] = Numbers(offset, offset += BytesOf(shape)),
            };
        }

        byte[] head = Encoding.UTF8.GetBytes(header.ToJsonString());
        using FileStream shard = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
        shard.Write(BitConverter.GetBytes((long)head.Length));
        shard.Write(head);
        foreach ((string name, long[] shape) in content)
        {
            if (isSparse)
            {
                using FileStream live = new(LiveFile(name), FileMode.CreateNew);
                live.SetLength(BytesOf(shape));
                shard.SetLength(shard.Length + BytesOf(shape));
            }
            else
            {
                byte[] bytes = noise.Weights((int)BytesOf(shape));
                shard.Write(bytes);
                File.WriteAllBytes(LiveFile(name), bytes);
            }

            File.SetUnixFileMode(LiveFile(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    private JsonObject Handles() =>
        new()
        {
            ["format"] = "apollo-handles",
            ["version"] = 2,
            ["producer"] = new JsonObject { ["kind"] = "benchmark", ["pid"] = Environment.ProcessId },
            ["state"] = new JsonObject { ["path"] = "state.bin", ["protocol"] = "flock+seqlock" },
            ["allocations"] = new JsonArray([
                .. tensors.Select(
                    (tensor, id) =>
                        new JsonObject
                        {
                            ["id"] = id,
                            ["kind"] = "file",
                            ["path"] = tensor.Name + ".bin",
                            ["size"] = BytesOf(tensor.Shape),
                        }
                ),
            ]),
            ["tensors"] = new JsonArray([
                .. tensors.Select(
                    (tensor, id) =>
                        new JsonObject
                        {
                            ["name"] = tensor.Name,
                            ["alloc"] = id,
                            ["offset"] = 0,
                            ["dtype"] = "BF16",
                            ["shape"] = Numbers(tensor.Shape),
                        }
                ),
            ]),
        };

    private static JsonArray Numbers(params long[] numbers) => new([.. numbers.Select(number => (JsonNode)number)]);

    private void Save(string name, string text)
    {
        string path = Path.Combine(LivePath, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
