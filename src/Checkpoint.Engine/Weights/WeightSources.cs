using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.Engine.Weights.HostMemory;
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
        bool isModel = Directory.Exists(path) && !File.Exists(Path.Combine(path, HandlesDirectory.IndexName));
        if (request.Source == SourceKind.Safetensors || (request.Source == SourceKind.Auto && isModel))
        {
            return new OpenedSource(SafetensorsSource.Open(Disk.Instance, path), Why(request, "it is a model directory"));
        }

        FileRules rules = FileRules.For(request.HandlesOwner);
        HandlesFile handles = HandlesFile.Read(path, rules, cancellation);
        foreach (ProducerInfo producer in handles.Producers)
        {
            ProducerCheck.EnsureAlive(producer);
        }

        HashSet<AllocationKind> kinds = [.. handles.Tensors.Select(tensor => tensor.Allocation?.Kind).OfType<AllocationKind>()];
        if (request.Source is SourceKind.Auto or SourceKind.Host && kinds.All(kind => kind == AllocationKind.File))
        {
            return new OpenedSource(HostMemorySource.Open(handles, rules), Why(request, "the handles name files"));
        }

        throw Unsupported(request, handles.Path, kinds);
    }

    private static string Why(SyncRequest request, string reason) =>
        request.Source == SourceKind.Auto ? reason : $"asked for by --source {SourceNames.Of(request.Source)}";

    private static CheckpointException Unsupported(SyncRequest request, string path, HashSet<AllocationKind> kinds) =>
        new(
            CheckpointError.SourceUnsupported,
            $"--source {SourceNames.Of(request.Source)} does not open {path}: it names {string.Join(" and ", kinds.Select(SourceNames.Of).Order())}",
            kinds.Any(kind => kind is AllocationKind.CudaIpc or AllocationKind.CudaExpandable)
                ? "this build reads CUDA memory through torch only: --source python"
                : "leave --source out: it is chosen by what the handles hold"
        );
}
