using System.Text;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>Turns handles that our own parser has proven into what <c>host.py</c> opens without executing anything of the file.</summary>
internal static class PythonRequests
{
    /// <summary>The tensors, in the order of the file.</summary>
    /// <exception cref="CheckpointException">SourceUnsupported, SourceUnavailable, HandlesUnsafe.</exception>
    internal static HostSourceRequest For(HandlesFile handles, PythonFiles files)
    {
        if (handles.IsBigEndian)
        {
            throw new CheckpointException(
                CheckpointError.SourceUnsupported,
                $"{handles.Path} holds big-endian tensors, which the python source hands over as they are",
                "leave --source out: the archive source turns them"
            );
        }

        return new HostSourceRequest(null, null, [.. handles.Tensors.Select(tensor => For(tensor, handles.Path, files))]);
    }

    private static HostTensorRequest For(HandleTensor tensor, string handlesPath, PythonFiles files) =>
        tensor switch
        {
            { Unsupported: not null } or { Allocation: null } => Plain(tensor, [0], [1], "", 0, 0),
            { Allocation.Kind: AllocationKind.File or AllocationKind.Record } => InFile(tensor, tensor.Allocation, files),
            { Cuda: { } cuda } => InCuda(tensor, cuda),
            _ => throw new CheckpointException(
                CheckpointError.SourceUnsupported,
                $"{handlesPath}: tensor \"{tensor.Name}\" is a raw CUDA handle, which torch does not open",
                "read it through the driver: --source native"
            ),
        };

    private static HostTensorRequest InFile(HandleTensor tensor, HandleAllocation allocation, PythonFiles files)
    {
        DiskFile file = files.TryOpen(allocation.Path) ?? throw Unavailable(allocation, "is gone");
        long needed = checked(allocation.FileOffset + allocation.Size);
        long length = file.Length;
        if (length < needed)
        {
            throw Unavailable(allocation, $"has {length} bytes, the handles need {needed}");
        }

        TensorLayout layout = tensor.Layout;
        long offset = checked(allocation.FileOffset + tensor.AllocationOffset);
        bool isPacked = layout.Type.Bits() < 8;
        return isPacked
            ? Plain(tensor, [layout.ByteLength], [1], file.PathForChild, length, offset)
            : Plain(tensor, layout.Shape, layout.Stride, file.PathForChild, length, offset);
    }

    private static HostTensorRequest Plain(
        HandleTensor tensor,
        IReadOnlyList<long> storedShape,
        IReadOnlyList<long> stride,
        string path,
        long fileBytes,
        long offset
    ) =>
        new(
            tensor.Name,
            tensor.Layout.Type.Name(),
            tensor.Layout.Shape,
            stride,
            storedShape,
            tensor.Layout.Type.UnitBytes(),
            path,
            fileBytes,
            offset,
            Cuda: null
        );

    private static HostTensorRequest InCuda(HandleTensor tensor, CudaArguments cuda)
    {
        HostCudaRequest arguments = new(
            cuda.Device,
            cuda.Handle ?? [],
            tensor.StorageOffset,
            cuda.StorageSizeBytes,
            cuda.StorageOffsetBytes,
            Encoding.Latin1.GetString(cuda.RefCounterHandle),
            cuda.RefCounterOffset,
            cuda.EventHandle,
            cuda.EventSyncRequired
        );
        return Plain(tensor, tensor.Layout.Shape, tensor.Layout.Stride, "", 0, 0) with { Cuda = arguments };
    }

    private static CheckpointException Unavailable(HandleAllocation allocation, string what) =>
        new(
            CheckpointError.SourceUnavailable,
            $"live memory {allocation.Path} {what}",
            "restart the producer, so that its hook publishes again"
        );
}
