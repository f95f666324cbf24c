using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles.Pickle;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>
/// Reads a torch.save file as handles: a dict of names. Either each value is {"handle": (function, arguments)} as the old program's hook
/// wrote it (beside "__metadata__"), or values are tensors, or dicts of tensors, in any depth; those get "a/b" for the name "b" in "a".
/// </summary>
internal sealed class TorchHandles
{
    private const int MaxDepth = 32;

    /// <summary>Names repeat what they stand in, so a long one in the memo would make a small file large.</summary>
    private const int MaxNameLength = 1024;
    private const string MetadataName = "__metadata__";
    private readonly TorchTensors tensors;
    private readonly CudaTuples cuda = new();
    private readonly List<HandleTensor> stored = [];
    private readonly HashSet<string> names = new(StringComparer.Ordinal);
    private readonly HashSet<PickleDict> walked = [];
    private ProducerInfo producer = ProducerInfo.Unknown;

    private TorchHandles(TorchTensors tensors) => this.tensors = tensors;

    /// <exception cref="CheckpointException">HandlesMalformed; SourceUnsupported: handles that only executing them would tell.</exception>
    internal static HandlesFile Read(IDiskFile file, CancellationToken cancellation)
    {
        TorchArchive archive = TorchArchive.Read(file);
        TorchHandles reader = new(new TorchTensors(file.Path, archive));
        try
        {
            IReadOnlyList<HandleTensor> all = reader.ReadAll(archive.Root, cancellation);
            return new HandlesFile
            {
                Path = file.Path,
                Format = archive.Format,
                Tensors = all,
                Allocations = [.. all.Select(tensor => tensor.Allocation).OfType<HandleAllocation>().Distinct()],
                Producers = TorchProducers.Of(all, reader.producer, file),
                IsBigEndian = archive.IsBigEndian,
            };
        }
        catch (PickleException e)
        {
            throw HandlesFile.Malformed(file.Path, e.Message, e);
        }
    }

    private IReadOnlyList<HandleTensor> ReadAll(object? root, CancellationToken cancellation)
    {
        if (root is not PickleDict dict)
        {
            throw new PickleException("holds something that is no dict of tensors");
        }

        if (dict.Items.Any(item => item.Value is PickleDict entry && entry.TryGet("handle", out _)))
        {
            ReadHandles(dict, cancellation);
        }
        else
        {
            ReadState(dict, "", 0, cancellation);
        }

        IReadOnlyList<HandleTensor> all = [.. cuda.Finish(), .. stored];
        return all.Count > 0 ? all : throw new PickleException("holds no tensor");
    }

    private void ReadHandles(PickleDict dict, CancellationToken cancellation)
    {
        foreach ((object? key, object? value) in dict.Items)
        {
            cancellation.ThrowIfCancellationRequested();
            string name = NameOf(key, "");
            if (name == MetadataName)
            {
                ReadMetadata(value);
                continue;
            }

            TorchValues values = new(name);
            if (value is not PickleDict entry || !entry.TryGet("handle", out object? handle))
            {
                throw values.Wrong("has no \"handle\"");
            }

            if (handle is not PickleTuple { Items: [PickleGlobal function, PickleTuple arguments] })
            {
                throw values.Wrong("has a handle that is no (function, arguments)");
            }

            CheckExtras(values, entry, ReadHandle(values, name, function, arguments.Items).Layout);
        }
    }

    private HandleTensor ReadHandle(TorchValues values, string name, PickleGlobal function, object?[] arguments)
    {
        if (function == PickleGlobals.RebuildCudaTensor)
        {
            return cuda.Add(name, arguments);
        }

        HandleTensor tensor =
            function == PickleGlobals.RebuildTensor
                ? tensors.ReadReduced(name, arguments)
                : throw values.Wrong($"has a handle that calls {function}");
        stored.Add(tensor);
        return tensor;
    }

    private void ReadState(PickleDict dict, string prefix, int depth, CancellationToken cancellation)
    {
        // Each dict is walked once: through the memo a small pickle can hold one 2^60 times, or itself.
        if (depth > MaxDepth || !walked.Add(dict))
        {
            throw new PickleException($"has dicts in \"{prefix}\" that are nested too deep, or stand in two places");
        }

        foreach ((object? key, object? value) in dict.Items)
        {
            cancellation.ThrowIfCancellationRequested();
            string name = prefix + NameOf(key, prefix);
            if (name == MetadataName)
            {
                ReadMetadata(value);
                continue;
            }

            switch (value)
            {
                case PickleCall call:
                    stored.Add(names.Add(name) ? tensors.Read(name, call) : throw new PickleException($"has the name \"{name}\" twice"));
                    break;
                case PickleDict inner:
                    ReadState(inner, name + "/", depth + 1, cancellation);
                    break;
                case PickleList list when IsPlain(list.Items):
                case PickleTuple tuple when IsPlain(tuple.Items):
                case var _ when IsPlain(value):
                    break; // "epoch", "betas" and their like beside the tensors
                default:
                    throw new PickleException($"has something under \"{name}\" that is neither a tensor nor a plain value");
            }
        }
    }

    private static string NameOf(object? key, string prefix) =>
        key is string name && prefix.Length + name.Length <= MaxNameLength
            ? name
            : throw new PickleException($"has a name in \"{prefix}\" that is no text, or longer than {MaxNameLength} characters");

    private static bool IsPlain(object? value) => value is null or string or long or bool or double;

    /// <summary>A long list is no setting; and through the memo a small file can hold it in many places.</summary>
    private static bool IsPlain(IReadOnlyList<object?> items) => items.Count <= 1000 && items.All(IsPlain);

    private void ReadMetadata(object? value)
    {
        PickleDict metadata = value as PickleDict ?? throw new PickleException($"has {MetadataName} that is no dict");
        producer = producer with
        {
            ModelPath = metadata.TryGet("model_path", out object? path) ? path as string : null,
            Description = metadata.TryGet("vllm_version", out object? version) && version is string text ? $"vLLM {text}" : null,
        };
    }

    /// <summary>Hooks may repeat shape and dtype beside the handle; then they must agree with the tuple.</summary>
    private static void CheckExtras(TorchValues values, PickleDict entry, TensorLayout layout)
    {
        if (entry.TryGet("shape", out object? shape))
        {
            IReadOnlyList<object?> items = shape switch
            {
                PickleTuple tuple => tuple.Items,
                PickleList list => list.Items,
                _ => throw values.Wrong("has a shape that is no list"),
            };
            if (!values.Numbers(items, "a shape").SequenceEqual(layout.Shape))
            {
                throw values.Wrong("has a shape beside its handle that disagrees with it");
            }
        }

        if (entry.TryGet("dtype", out object? dtype))
        {
            PickleGlobal? global =
                dtype is string { } text && text.StartsWith("torch.", StringComparison.Ordinal)
                    ? new("torch", text[6..])
                    : dtype as PickleGlobal;
            if (global is null || values.Dtype(global) != layout.Type)
            {
                throw values.Wrong("has a dtype beside its handle that disagrees with it");
            }
        }
    }
}
