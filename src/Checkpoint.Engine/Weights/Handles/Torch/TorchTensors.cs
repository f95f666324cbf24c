using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights.Handles.Pickle;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>Tensors whose bytes are stored in the archive itself.</summary>
/// <param name="path">The archive.</param>
/// <param name="archive">What it holds.</param>
internal sealed class TorchTensors(string path, TorchArchive archive)
{
    private readonly Dictionary<string, HandleAllocation> allocations = new(StringComparer.Ordinal);

    /// <summary>The storages used so far.</summary>
    internal IEnumerable<HandleAllocation> Allocations => allocations.Values;

    /// <summary>Bytes of a storage.</summary>
    /// <exception cref="PickleException">More than can be counted, or of a type that is not read.</exception>
    internal static long StorageBytes(PickleStorage storage)
    {
        ElementType type = new TorchValues($"of storage {storage.Key}").TypeOf(storage);
        Int128 bytes = (Int128)storage.Elements * type.UnitBytes();
        return bytes <= long.MaxValue
            ? (long)bytes
            : throw new PickleException($"has the storage {storage.Key}, larger than can be counted");
    }

    /// <summary>
    /// Reads what a state dict holds under a name: _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata]),
    /// _v3 with a dtype behind the hooks, or _rebuild_parameter(tensor, requires_grad, hooks) around one of them
    /// (torch/_utils.py).
    /// </summary>
    internal HandleTensor Read(string name, PickleCall call)
    {
        TorchValues values = new(name);
        if (call.Function == PickleGlobals.RebuildParameter)
        {
            return call.Arguments.Items is [PickleCall inner, var grad, _] && inner.Function != PickleGlobals.RebuildParameter
                ? Read(name, inner) with
                {
                    RequiresGrad = values.Flag(grad, "a requires_grad"),
                }
                : throw values.Wrong("is a parameter around something that is no tensor");
        }

        bool isTyped = call.Function == PickleGlobals.RebuildTensorV2;
        object?[] items = call.Arguments.Items;
        int least = isTyped ? 6 : 7;
        if (items.Length < least || items.Length > least + 1 || items[0] is not PickleStorage storage)
        {
            throw values.Wrong($"has arguments that do not fit {call.Function}");
        }

        if (items.Length > least && items[least] is not (null or PickleDict { Items.Count: 0 }))
        {
            throw values.Wrong("has a conjugate or negative bit, which is not read");
        }

        if (isTyped == (storage.Type == PickleGlobals.UntypedStorage))
        {
            throw values.Wrong($"is rebuilt by {call.Function} from a {storage.Type}");
        }

        ElementType type = isTyped ? values.TypeOf(storage) : values.Dtype(items[6]);
        return Read(values, name, type, storage, items[1], items[2], items[3], items[4]);
    }

    /// <summary>Reads a CPU tensor of reduce_tensor: rebuild_tensor(class, storage, (offset, size, stride, requires_grad)).</summary>
    internal HandleTensor ReadReduced(string name, object?[] arguments)
    {
        TorchValues values = new(name);
        return
            arguments
                is [PickleGlobal tensorClass, PickleStorage storage, PickleTuple { Items: [var offset, var size, var stride, var grad] }]
            && PickleGlobals.IsTensorClass(tensorClass)
            ? Read(values, name, values.TypeOf(storage), storage, offset, size, stride, grad)
            : throw values.Wrong("has arguments that do not fit rebuild_tensor");
    }

    private HandleTensor Read(
        TorchValues values,
        string name,
        ElementType type,
        PickleStorage storage,
        object? offset,
        object? size,
        object? stride,
        object? requiresGrad
    )
    {
        long storageOffset = values.Number(offset, "a storage offset");
        TensorLayout layout = values.Layout(type, size, stride);
        HandleAllocation allocation = Allocate(values, storage);
        return new HandleTensor(name, layout)
        {
            Allocation = allocation,
            AllocationOffset = values.Place(layout, storageOffset, allocation.Size),
            StorageOffset = storageOffset,
            RequiresGrad = values.Flag(requiresGrad, "a requires_grad"),
        };
    }

    private HandleAllocation Allocate(TorchValues values, PickleStorage storage)
    {
        if (allocations.TryGetValue(storage.Key, out HandleAllocation? known))
        {
            return known;
        }

        long bytes = StorageBytes(storage);
        if (!archive.Records.TryGetValue(storage.Key, out ArchiveRecord? record) || record.Length != bytes)
        {
            throw values.Wrong(
                record is null
                    ? $"lies in the record {storage.Key}, which is not there"
                    : $"lies in the record {storage.Key} of {record.Length} bytes, where {bytes} are said"
            );
        }

        HandleAllocation allocation = new(AllocationKind.Record, bytes)
        {
            Path = path,
            FileOffset = record.FileOffset,
            Record = storage.Key,
            Crc = record.Crc,
        };
        allocations.Add(storage.Key, allocation);
        return allocation;
    }
}
