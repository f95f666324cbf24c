using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Archive;
using ApolloCheckpoint.Engine.Weights.Cuda;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.Engine.Weights.HostMemory;
using ApolloCheckpoint.Engine.Weights.Python;
using ApolloCheckpoint.Engine.Weights.Safetensors;

namespace ApolloCheckpoint.Engine.Weights;

/// <summary>Opens the source that a request asks for; <see cref="SourceKind.Auto"/> decides by what the handles hold.</summary>
internal static class WeightSources
{
    /// <summary>Reads the handles, checks that their producer lives, and opens the memory.</summary>
    /// <exception cref="CheckpointException">11xx: nothing there, not safe, malformed, gone, or of a kind that this build cannot open.</exception>
    internal static OpenedSource Open(SyncRequest request, CancellationToken cancellation)
    {
        string path = Path.GetFullPath(request.Handles);
        bool isFolder = Directory.Exists(path);
        bool isModel = isFolder && Directory.EnumerateFiles(path, "*.safetensors").Any();
        if (request.Source == SourceKind.Safetensors || (request.Source == SourceKind.Auto && isModel))
        {
            return new OpenedSource(SafetensorsSource.Open(Disk.Instance, path), Why(request, "it is a model directory"));
        }

        if (request.Source == SourceKind.Python)
        {
            return new OpenedSource(PythonWeightSource.Open(request, cancellation), Why(request, ""));
        }

        FileRules rules = FileRules.For(request.HandlesOwner);
        if (isFolder)
        {
            return Open(request, HandlesDirectory.Read(path, rules, cancellation), rules, cancellation);
        }

        DiskFile? file = rules.TryOpen(path) ?? throw HandlesFile.NotFound(request.Handles);
        try
        {
            HandlesFile handles = HandlesFile.Parse(file, cancellation);
            if (request.Source is SourceKind.Auto or SourceKind.Archive && Holds(handles, AllocationKind.Record))
            {
                // The source keeps the file: what was judged and parsed is what is read.
                TorchArchiveSource archive = new(handles, file);
                file = null;
                return new OpenedSource(archive, Why(request, "the file holds the tensors itself"));
            }

            return Open(request, handles, rules, cancellation);
        }
        finally
        {
            file?.Dispose();
        }
    }

    private static OpenedSource Open(SyncRequest request, HandlesFile handles, FileRules rules, CancellationToken cancellation)
    {
        if (!Opens(request.Source, handles))
        {
            throw Unsupported(request, handles);
        }

        foreach (ProducerInfo producer in handles.Producers)
        {
            ProducerCheck.EnsureAlive(producer);
        }

        return request.Source switch
        {
            SourceKind.Auto or SourceKind.Host when Holds(handles, AllocationKind.File) => new OpenedSource(
                HostMemorySource.Open(handles, rules),
                Why(request, "the handles name files")
            ),
            SourceKind.Native when Holds(handles, AllocationKind.CudaIpc) => OpenCuda(request, handles),
            SourceKind.Auto when Holds(handles, AllocationKind.CudaIpc) => OpenCudaOrTorch(request, handles, cancellation),
            SourceKind.Auto => new OpenedSource(
                PythonWeightSource.Open(request, cancellation),
                $"the handles name {Kinds(handles)}, which only torch opens"
            ),
            _ => throw Unsupported(request, handles),
        };
    }

    private static OpenedSource OpenCuda(SyncRequest request, HandlesFile handles)
    {
        CudaWeightSource source = CudaWeightSource.Open(handles, CudaDriver.Instance);
        return new OpenedSource(source, $"{string.Join(", ", source.Devices)}; {Why(request, "the handles name CUDA memory")}");
    }

    /// <summary>The driver first; where that fails torch, which knows more kinds of memory and of drivers. Raw handles torch cannot open.</summary>
    /// <exception cref="CheckpointException">Why the driver failed, and beside it why torch did.</exception>
    private static OpenedSource OpenCudaOrTorch(SyncRequest request, HandlesFile handles, CancellationToken cancellation)
    {
        try
        {
            return OpenCuda(request, handles);
        }
        catch (CheckpointException native) when (handles.Tensors.All(tensor => tensor.Allocation is null || tensor.Cuda is not null))
        {
            try
            {
                return new OpenedSource(PythonWeightSource.Open(request, cancellation), $"not by the driver alone: {native.Message}");
            }
            catch (CheckpointException torch)
            {
                throw new CheckpointException(native.Error, native.Message, native.Next, torch) { Details = [("torch", torch.Message)] };
            }
        }
    }

    /// <summary>Whether what was asked for opens this kind of memory at all.</summary>
    private static bool Opens(SourceKind source, HandlesFile handles) =>
        source switch
        {
            SourceKind.Auto => true,
            SourceKind.Host => Holds(handles, AllocationKind.File),
            SourceKind.Native => Holds(handles, AllocationKind.CudaIpc),
            _ => false,
        };

    /// <summary>Whether everything that has bytes is of that kind.</summary>
    private static bool Holds(HandlesFile handles, AllocationKind kind) =>
        handles.Tensors.All(tensor => tensor.Allocation is null || tensor.Allocation.Kind == kind);

    private static string Why(SyncRequest request, string reason) =>
        request.Source == SourceKind.Auto ? reason : $"asked for by --source {SourceNames.Of(request.Source)}";

    private static string Kinds(HandlesFile handles)
    {
        IEnumerable<AllocationKind> kinds = handles.Tensors.Select(tensor => tensor.Allocation?.Kind).OfType<AllocationKind>();
        return string.Join(" and ", kinds.Distinct().Order().Select(SourceNames.Of));
    }

    private static CheckpointException Unsupported(SyncRequest request, HandlesFile handles) =>
        new(
            CheckpointError.SourceUnsupported,
            $"--source {SourceNames.Of(request.Source)} does not open {handles.Path}, which names {Kinds(handles)}",
            request.Source == SourceKind.Native && handles.Tensors.Any(tensor => tensor.Allocation?.Kind == AllocationKind.CudaExpandable)
                ? "unset PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True in the producer, or let torch open them: --source python"
                : "leave --source out: what the handles hold decides"
        );
}
