using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>
/// Makes a small model of the Llama kind: the tensors, names, files and index of a real one, plausible bf16 weights instead of trained
/// ones. About 34 MB in two shards, in a fraction of a second.
/// </summary>
internal static class DemoModel
{
    private const int Hidden = 512;
    private const int KeyValue = 256;
    private const int Intermediate = 1536;
    private const int Vocabulary = 8192;

    /// <summary>Number of layers.</summary>
    public const int Layers = 4;

    private const int Shards = 2;

    /// <summary>Writes the model; the folder is made when it is not there, and must hold no model.</summary>
    /// <param name="folder">The model directory.</param>
    /// <param name="cancel">Stops between tensors.</param>
    /// <returns>Bytes of tensor data.</returns>
    public static long Write(string folder, CancellationToken cancel)
    {
        Directory.CreateDirectory(folder);
        (string Name, int[] Shape)[] tensors = [.. Tensors()];
        Dictionary<string, string> index = new(StringComparer.Ordinal);
        Dice dice = new(1);
        ushort[] weights = NormalTable(dice);
        long bytes = 0;
        for (int shard = 0; shard < Shards; shard++)
        {
            string file = string.Create(CultureInfo.InvariantCulture, $"model-{shard + 1:D5}-of-{Shards:D5}.safetensors");
            (string Name, int[] Shape)[] part = [.. tensors.Where((_, i) => i * Shards / tensors.Length == shard)];
            bytes += WriteShard(Path.Combine(folder, file), part, weights, dice, cancel);
            foreach ((string name, _) in part)
            {
                index.Add(name, file);
            }
        }

        WriteIndex(folder, index, bytes);
        WriteConfig(folder);
        return bytes;
    }

    private static IEnumerable<(string Name, int[] Shape)> Tensors()
    {
        yield return ("model.embed_tokens.weight", [Vocabulary, Hidden]);
        for (int layer = 0; layer < Layers; layer++)
        {
            string prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.");
            yield return (prefix + "input_layernorm.weight", [Hidden]);
            yield return (prefix + "self_attn.q_proj.weight", [Hidden, Hidden]);
            yield return (prefix + "self_attn.k_proj.weight", [KeyValue, Hidden]);
            yield return (prefix + "self_attn.v_proj.weight", [KeyValue, Hidden]);
            yield return (prefix + "self_attn.o_proj.weight", [Hidden, Hidden]);
            yield return (prefix + "post_attention_layernorm.weight", [Hidden]);
            yield return (prefix + "mlp.gate_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.up_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.down_proj.weight", [Hidden, Intermediate]);
        }

        yield return ("model.norm.weight", [Hidden]);
    }

    private static long WriteShard(string path, (string Name, int[] Shape)[] tensors, ushort[] weights, Dice dice, CancellationToken cancel)
    {
        using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
        byte[] header = Header(tensors);
        file.Write(header);
        byte[] row = new byte[1 << 16];
        foreach ((_, int[] shape) in tensors)
        {
            cancel.ThrowIfCancellationRequested();
            for (long left = ByteLength(shape); left > 0; left -= row.Length)
            {
                Span<byte> bytes = row.AsSpan(0, (int)Math.Min(left, row.Length));
                Fill(bytes, weights, dice);
                file.Write(bytes);
            }
        }

        return file.Length - header.Length;
    }

    /// <summary>Length, JSON, blanks up to a multiple of eight bytes.</summary>
    private static byte[] Header((string Name, int[] Shape)[] tensors)
    {
        using StringWriter text = new();
        JsonText.Write(
            text,
            json =>
            {
                json.WriteStartObject();
                long begin = 0;
                foreach ((string name, int[] shape) in tensors)
                {
                    json.WriteStartObject(name);
                    json.WriteString("dtype", ElementType.BF16.Name());
                    JsonText.Numbers(json, "shape", shape.Select(size => (long)size));
                    JsonText.Numbers(json, "data_offsets", [begin, begin += ByteLength(shape)]);
                    json.WriteEndObject();
                }

                json.WriteEndObject();
            },
            indented: false
        );
        string body = text.ToString().Trim();
        byte[] header = new byte[8 + (body.Length + 7) / 8 * 8];
        header.AsSpan(8).Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - 8);
        Encoding.ASCII.GetBytes(body, header.AsSpan(8));
        return header;
    }

    private static long ByteLength(int[] shape) => shape.Aggregate(2L, (product, size) => product * size);

    /// <summary>bf16 bits of a normal distribution with sigma 0.02, as trained weights have it; drawn from again and again.</summary>
    private static ushort[] NormalTable(Dice dice)
    {
        ushort[] table = new ushort[1 << 16];
        for (int i = 0; i < table.Length; i++)
        {
            // Box and Muller: two uniform numbers make a normal one.
            double normal = Math.Sqrt(-2 * Math.Log(dice.NextUnit())) * Math.Cos(2 * Math.PI * dice.NextUnit());
            table[i] = (ushort)(BitConverter.SingleToUInt32Bits((float)(0.02 * normal)) >> 16);
        }

        return table;
    }

    private static void Fill(Span<byte> bytes, ushort[] weights, Dice dice)
    {
        Span<ushort> elements = MemoryMarshal.Cast<byte, ushort>(bytes);
        for (int i = 0; i + 3 < elements.Length; i += 4)
        {
            // Four table places out of one draw.
            ulong draw = dice.Next();
            elements[i] = weights[(ushort)draw];
            elements[i + 1] = weights[(ushort)(draw >> 16)];
            elements[i + 2] = weights[(ushort)(draw >> 32)];
            elements[i + 3] = weights[(ushort)(draw >> 48)];
        }
    }

    private static void WriteIndex(string folder, Dictionary<string, string> index, long bytes)
    {
        using StreamWriter writer = new(Path.Combine(folder, ModelDirectory.IndexName));
        JsonText.Write(
            writer,
            json =>
            {
                json.WriteStartObject();
                json.WriteStartObject("metadata");
                json.WriteNumber("total_size", bytes);
                json.WriteEndObject();
                json.WriteStartObject("weight_map");
                foreach ((string tensor, string file) in index)
                {
                    json.WriteString(tensor, file);
                }

                json.WriteEndObject();
                json.WriteEndObject();
            }
        );
    }

    private static void WriteConfig(string folder)
    {
        using StreamWriter writer = new(Path.Combine(folder, "config.json"));
        JsonText.Write(
            writer,
            json =>
            {
                json.WriteStartObject();
                JsonText.Strings(json, "architectures", ["LlamaForCausalLM"]);
                json.WriteString("model_type", "llama");
                json.WriteNumber("hidden_size", Hidden);
                json.WriteNumber("intermediate_size", Intermediate);
                json.WriteNumber("num_hidden_layers", Layers);
                json.WriteNumber("num_attention_heads", 8);
                json.WriteNumber("num_key_value_heads", 4);
                json.WriteNumber("vocab_size", Vocabulary);
                json.WriteBoolean("tie_word_embeddings", true);
                json.WriteString("torch_dtype", "bfloat16");
                json.WriteEndObject();
            }
        );
    }
}
