namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>What kind of memory an allocation is.</summary>
internal enum AllocationKind
{
    /// <summary>One cudaMalloc segment, by a legacy IPC handle of 64 bytes.</summary>
    CudaIpc,

    /// <summary>An expandable segment of torch's allocator: only torch can open it.</summary>
    CudaExpandable,

    /// <summary>Part of a file: shared memory, or any memory that a path reaches.</summary>
    File,

    /// <summary>A storage inside a torch archive.</summary>
    Record,
}
