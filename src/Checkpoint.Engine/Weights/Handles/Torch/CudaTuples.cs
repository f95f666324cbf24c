using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights.Handles.Pickle;

namespace ApolloCheckpoint.Engine.Weights.Handles.Torch;

/// <summary>
/// Tensors in CUDA memory: the 15 arguments of rebuild_cuda_tensor, the same from torch 2.0 to 2.13
/// (torch/multiprocessing/reductions.py). Several tensors share one segment and so one handle.
/// </summary>
internal sealed class CudaTuples
{
    /// <summary>Bytes of cudaIpcMemHandle_t.</summary>
    private const int HandleBytes = 64;

    private const int MaxDevice = 1023;
    private readonly List<(HandleTensor Tensor, AllocationKind Kind, byte[] Handle, long End)> rows = [];

    /// <summary>Reads one; <see cref="Finish"/> gives it its allocation.</summary>
    /// <exception cref="PickleException">Malformed.</exception>
    internal HandleTensor Add(string name, object?[] arguments)
    {
        TorchValues values = new(name);
        if (arguments.Length != 15)
        {
            throw values.Wrong($"has {arguments.Length} arguments for rebuild_cuda_tensor, which takes 15");
        }

        if (arguments[0] is not PickleGlobal tensorClass || !PickleGlobals.IsTensorClass(tensorClass))
        {
            throw values.Wrong("is of a class that is none of tensors");
        }

        if (arguments[4] is not PickleGlobal storageClass || !PickleGlobals.IsStorage(storageClass))
        {
            throw values.Wrong("lies in something that is no storage");
        }

        ElementType type = values.Dtype(arguments[5]);
        TensorLayout layout = values.Layout(type, arguments[1], arguments[2]);
        long storageOffset = values.Number(arguments[3], "a storage offset");
        CudaArguments cuda = ReadCuda(values, tensorClass.ToString(), arguments);
        long place = values.Place(layout, storageOffset, cuda.StorageSizeBytes);
        if (cuda.StorageOffsetBytes % type.UnitBytes() != 0 || cuda.StorageOffsetBytes > long.MaxValue - cuda.StorageSizeBytes)
        {
            throw values.Wrong($"begins at byte {cuda.StorageOffsetBytes} of its segment, which cannot be");
        }

        (AllocationKind kind, byte[] handle) = ReadHandle(values, cuda);
        HandleTensor tensor = new(name, layout)
        {
            AllocationOffset = cuda.StorageOffsetBytes + place,
            StorageOffset = storageOffset,
            RequiresGrad = values.Flag(arguments[10], "a requires_grad"),
            Cuda = cuda,
        };
        rows.Add((tensor, kind, handle, cuda.StorageOffsetBytes + cuda.StorageSizeBytes));
        return tensor;
    }

    /// <summary>All tensors, those with the same handle in the same allocation. A segment is as long as its tensors reach.</summary>
    internal IReadOnlyList<HandleTensor> Finish()
    {
        Dictionary<string, HandleAllocation> allocations = new(StringComparer.Ordinal);
        foreach (var segment in rows.Where(row => row.Handle.Length > 0).GroupBy(row => KeyOf(row.Handle)))
        {
            var first = segment.First();
            allocations[segment.Key] = new HandleAllocation(first.Kind, segment.Max(row => row.End))
            {
                Handle = first.Handle,
                Device = first.Tensor.Cuda?.Device,
            };
        }

        return
        [
            .. rows.Select(row => row.Handle.Length == 0 ? row.Tensor : row.Tensor with { Allocation = allocations[KeyOf(row.Handle)] }),
        ];
    }

    private static string KeyOf(byte[] handle) => Convert.ToHexString(handle);

    private static CudaArguments ReadCuda(TorchValues values, string tensorClass, object?[] arguments)
    {
        long device = values.Number(arguments[6], "a device index");
        if (device > MaxDevice)
        {
            throw values.Wrong($"lies on device {device}; the highest device index read is {MaxDevice}");
        }

        return new CudaArguments(
            tensorClass,
            (int)device,
            arguments[7] is null ? null : values.Bytes(arguments[7], "a handle"),
            values.Number(arguments[8], "a storage size"),
            values.Number(arguments[9], "an offset in its segment"),
            values.Bytes(arguments[11], "a counter handle"),
            values.Number(arguments[12], "a counter offset"),
            values.Bytes(arguments[13], "an event handle"),
            values.Flag(arguments[14], "an event flag")
        );
    }

    /// <summary>
    /// Old torch: the bare 64 bytes. Then [version 1 to 3][type]: 'c' and the 64 bytes, or 'e' and what tells of an expandable segment.
    /// </summary>
    private static (AllocationKind Kind, byte[] Handle) ReadHandle(TorchValues values, CudaArguments cuda) =>
        cuda.Handle switch
        {
            null when cuda.StorageSizeBytes == 0 => (AllocationKind.CudaIpc, []),
            null => throw values.Wrong($"has no handle for its {cuda.StorageSizeBytes} bytes"),
            { Length: HandleBytes } bare => (AllocationKind.CudaIpc, bare),
            { Length: < 2 } => throw values.Wrong($"has a handle of {cuda.Handle.Length} bytes"),
            [not (>= 1 and <= 3), ..] => throw values.Wrong(
                $"has a handle of the unknown version {cuda.Handle[0]}, or of {cuda.Handle.Length} bytes"
            ),
            [_, (byte)'c', ..] when cuda.Handle.Length == HandleBytes + 2 => (AllocationKind.CudaIpc, cuda.Handle[2..]),
            [_, (byte)'e', _, ..] => (AllocationKind.CudaExpandable, cuda.Handle[2..]),
            _ => throw values.Wrong($"has a handle of an unknown type, or of {cuda.Handle.Length} bytes"),
        };
}
