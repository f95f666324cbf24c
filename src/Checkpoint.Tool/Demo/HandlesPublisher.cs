using System.Text.Json;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>
/// Writes a handles directory, version 2 (docs/format-handles.md): what the hook writes inside vLLM, here for the demo producer's own
/// memory. The parts are proven by the way the memory was filled: it was copied from these very files.
/// </summary>
internal static class HandlesPublisher
{
    /// <summary>Name of the index; it is written last, so a reader finds everything or nothing.</summary>
    public const string IndexName = "index.json";

    /// <summary>Name of the rank's file.</summary>
    public const string RankName = "weights.rank0.json";

    /// <summary>Name of the state page.</summary>
    public const string StateName = "state.bin";

    /// <summary>Writes both files, replacing those of an earlier producer in one step each.</summary>
    /// <param name="folder">The handles directory.</param>
    /// <param name="memory">The memory, in the same folder.</param>
    /// <param name="modelPath">The model directory that was loaded.</param>
    /// <param name="loadedRoot">Root of the version that was loaded, 32 hex digits, or null when the model has no history.</param>
    /// <param name="leaveOut">Name of a tensor on disk that is not published, or null; for showing what happens then.</param>
    public static void Write(string folder, LiveMemory memory, string modelPath, string? loadedRoot, string? leaveOut = null)
    {
        Replace(folder, RankName, json => Rank(json, memory, modelPath, loadedRoot, leaveOut));
        Replace(
            folder,
            IndexName,
            json =>
            {
                json.WriteStartObject();
                json.WriteString("format", "apollo-handles-index");
                json.WriteNumber("version", 2);
                JsonText.Strings(json, "ranks", [RankName]);
                json.WriteEndObject();
            }
        );
    }

    private static void Replace(string folder, string name, Action<Utf8JsonWriter> body)
    {
        string path = Path.Combine(folder, name);
        string temporary = path + ".new";
        FileStreamOptions options = new()
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (StreamWriter writer = new(temporary, options))
        {
            JsonText.Write(writer, body);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private static void Rank(Utf8JsonWriter json, LiveMemory memory, string modelPath, string? loadedRoot, string? leaveOut)
    {
        json.WriteStartObject();
        json.WriteString("format", "apollo-handles");
        json.WriteNumber("version", 2);
        Producer(json, loadedRoot);
        json.WriteStartObject("model");
        json.WriteString("path", modelPath);
        json.WriteNull("quantization");
        json.WriteEndObject();
        json.WriteStartObject("state");
        json.WriteString("path", StateName);
        json.WriteString("protocol", "flock+seqlock");
        json.WriteEndObject();
        json.WriteStartArray("allocations");
        json.WriteStartObject();
        json.WriteNumber("id", 0);
        json.WriteString("kind", "file");
        json.WriteString("path", Path.GetFileName(memory.Path));
        json.WriteNumber("file_offset", 0);
        json.WriteNumber("size", memory.Length);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartArray("tensors");
        foreach (LiveParameter parameter in memory.Parameters)
        {
            Tensor(json, parameter, leaveOut);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Producer(Utf8JsonWriter json, string? loadedRoot)
    {
        json.WriteStartObject("producer");
        json.WriteString("kind", "demo");
        json.WriteNumber("pid", Environment.ProcessId);
        if (ProducerCheck.StartTicks(Environment.ProcessId) is { } ticks)
        {
            json.WriteNumber("pid_start", ticks);
        }

        JsonText.Optional(json, "boot_id", ProducerCheck.CurrentBootId());
        JsonText.Optional(json, "loaded_root", loadedRoot);
        json.WriteEndObject();
    }

    private static void Tensor(Utf8JsonWriter json, LiveParameter parameter, string? leaveOut)
    {
        json.WriteStartObject();
        json.WriteString("name", parameter.Name);
        json.WriteNumber("alloc", 0);
        json.WriteNumber("offset", parameter.Offset);
        json.WriteString("dtype", parameter.Type.Name());
        JsonText.Numbers(json, "shape", parameter.Shape);
        json.WriteStartArray("parts");
        long row = 0;
        foreach ((_, TensorEntry entry) in parameter.Tensors)
        {
            if (entry.Name != leaveOut)
            {
                Part(json, entry, row);
            }

            row += entry.Shape.Count == 0 ? 0 : entry.Shape[0];
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Part(Utf8JsonWriter json, TensorEntry entry, long firstRow)
    {
        json.WriteStartObject();
        json.WriteString("hf", entry.Name);
        if (entry.Shape.Count > 0)
        {
            Rows(json, "live", firstRow, entry.Shape[0]);
            Rows(json, "file", 0, entry.Shape[0]);
        }

        json.WriteString("proof", "full");
        json.WriteEndObject();
    }

    private static void Rows(Utf8JsonWriter json, string name, long start, long length)
    {
        json.WriteStartObject(name);
        json.WriteNumber("dim", 0);
        json.WriteNumber("start", start);
        json.WriteNumber("length", length);
        json.WriteEndObject();
    }
}
