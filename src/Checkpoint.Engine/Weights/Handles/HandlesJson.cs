using System.Text.Json;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>
/// Reads one rank's JSON file, version 2 (docs/format-handles.md), as hostile input. Required are only <c>format</c>, <c>version</c>,
/// <c>allocations</c> and <c>tensors</c>; unknown fields are ignored.
/// </summary>
internal static class HandlesJson
{
    private const int MaxTensors = 1 << 20;

    /// <summary>Bytes of a legacy CUDA IPC handle (cudaIpcMemHandle_t).</summary>
    private const int CudaHandleBytes = 64;

    /// <exception cref="CheckpointException">HandlesMalformed, naming file and tensor.</exception>
    internal static HandlesFile Read(IDiskFile file, CancellationToken cancellation)
    {
        using JsonDocument document = JsonFields.Parse(file);
        JsonFields root = new(document.RootElement, file.Path);
        root.ExpectFormat("apollo-handles", 2);
        int rank = root.OptionalObject("parallel") is { } parallel ? Int(parallel, "rank") ?? 0 : 0;
        Dictionary<long, HandleAllocation> allocations = ReadAllocations(root, file.Path);
        List<JsonFields> rows = root.Objects("tensors", required: true);
        if (rows.Count is 0 or > MaxTensors)
        {
            throw root.Wrong($"names {rows.Count} tensors; 1 to {MaxTensors} are allowed");
        }

        HandlesJsonTensors tensors = new(allocations, rank, RefusalOf(root));
        foreach (JsonFields row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            tensors.Add(row);
        }

        return new HandlesFile
        {
            Path = file.Path,
            Format = HandlesFormat.Json,
            Tensors = tensors.All,
            Allocations = [.. allocations.Values],
            Producers = [ReadProducer(root)],
            StatePagePath = Resolve(file.Path, root.OptionalObject("state")?.OptionalText("path")),
            UnmappedDisk = ReadUnmapped(root),
        };
    }

    private static Dictionary<long, HandleAllocation> ReadAllocations(JsonFields root, string path)
    {
        Dictionary<long, HandleAllocation> allocations = [];
        foreach (JsonFields row in root.Objects("allocations", required: true))
        {
            long id = row.Number("id");
            JsonFields fields = row.In($"{path}: allocation {id}");
            if (!allocations.TryAdd(id, ReadAllocation(fields, path)))
            {
                throw fields.Wrong("stands twice");
            }
        }

        return allocations;
    }

    private static HandleAllocation ReadAllocation(JsonFields fields, string path)
    {
        long size = fields.Number("size");
        string kind = fields.Text("kind");
        if (kind == "cuda-ipc")
        {
            byte[] handle = new byte[CudaHandleBytes];
            if (!Convert.TryFromBase64String(fields.Text("handle"), handle, out int length) || length != CudaHandleBytes)
            {
                throw fields.Wrong($"has a handle that is not {CudaHandleBytes} bytes in base64");
            }

            return new HandleAllocation(AllocationKind.CudaIpc, size)
            {
                Handle = handle,
                Device = Int(fields, "device"),
                DeviceUuid = fields.OptionalText("device_uuid"),
            };
        }

        if (kind != "file")
        {
            throw fields.Wrong($"is of the unknown kind \"{kind}\"; known are \"cuda-ipc\" and \"file\"");
        }

        long fileOffset = fields.OptionalNumber("file_offset") ?? 0;
        string place = Resolve(path, fields.Text("path")) ?? "";
        if (place.Contains('\0', StringComparison.Ordinal) || fileOffset > long.MaxValue - size)
        {
            throw fields.Wrong("names no place in a file that can exist");
        }

        return new HandleAllocation(AllocationKind.File, size) { Path = place, FileOffset = fileOffset };
    }

    private static ProducerInfo ReadProducer(JsonFields root)
    {
        if (root.OptionalObject("producer") is not { } producer)
        {
            return ProducerInfo.Unknown with { ModelPath = root.OptionalObject("model")?.OptionalText("path") };
        }

        string kind = producer.OptionalText("kind") ?? "unknown";
        string?[] words =
        [
            producer.OptionalText("version") is { } version ? $"{kind} {version}" : null,
            producer.OptionalText("hook") is { } hook ? $"hook {hook}" : null,
            root.OptionalObject("model")?.Flag("lora") == true ? "LoRA adapters are active and not part of these weights" : null,
        ];
        string description = string.Join(", ", words.Where(word => word is not null));
        return new ProducerInfo(
            kind,
            Int(producer, "pid"),
            producer.OptionalNumber("pid_start"),
            producer.OptionalText("boot_id"),
            producer.OptionalText("loaded_root"),
            root.OptionalObject("model")?.OptionalText("path")
        )
        {
            PidNamespace = producer.OptionalNumber("pid_ns"),
            Description = description.Length > 0 ? description : null,
        };
    }

    private static Dictionary<string, string> ReadUnmapped(JsonFields root)
    {
        Dictionary<string, string> unmapped = new(StringComparer.Ordinal);
        foreach (JsonFields row in root.Objects("unmapped_disk"))
        {
            unmapped[row.Text("hf")] = row.OptionalText("why") ?? "not loaded";
        }

        return unmapped;
    }

    /// <summary>Quantised weights are not the weights on disk in another layout: nothing of them can be brought back.</summary>
    private static string? RefusalOf(JsonFields root) =>
        root.OptionalObject("model")?.OptionalText("quantization") is { } quantization ? $"the model is quantised ({quantization})" : null;

    private static int? Int(JsonFields fields, string name) =>
        fields.OptionalNumber(name) switch
        {
            null => null,
            <= int.MaxValue and long number => (int)number,
            _ => throw fields.Wrong($"has a \"{name}\" above 2^31-1"),
        };

    /// <summary>A relative path counts from the folder of the handles file, so that the folder can be moved.</summary>
    private static string? Resolve(string handlesPath, string? path) =>
        path is null ? null : Path.Combine(Path.GetDirectoryName(handlesPath) ?? "/", path);
}
