using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights;

/// <summary>What sources and memory are called on the command line and in messages.</summary>
internal static class SourceNames
{
    /// <summary>The value of <c>--source</c>.</summary>
    internal static string Of(SourceKind kind) =>
        kind switch
        {
            SourceKind.Native => "native",
            SourceKind.Python => "python",
            SourceKind.Host => "host",
            SourceKind.Archive => "archive",
            SourceKind.Safetensors => "safetensors",
            _ => "auto",
        };

    /// <summary>The memory, as a noun.</summary>
    internal static string Of(AllocationKind kind) =>
        kind switch
        {
            AllocationKind.CudaIpc => "CUDA memory",
            AllocationKind.CudaExpandable => "CUDA memory in expandable segments",
            AllocationKind.File => "files",
            _ => "tensors stored in the file itself",
        };
}
