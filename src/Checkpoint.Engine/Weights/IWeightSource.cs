namespace ApolloCheckpoint.Engine.Weights;

/// <summary>
/// Where live bytes come from. Call order: open (a factory), read <see cref="Tensors"/>, then <see cref="Read"/> from any number of
/// threads, then dispose. A source never writes to the producer's memory and executes nothing that the handles file says.
/// </summary>
public interface IWeightSource : IDisposable
{
    /// <summary>Short name for reports: "host memory", "torch archive", "safetensors", "python", "native CUDA".</summary>
    string Kind { get; }

    /// <summary>All live tensors; names are unique within a rank.</summary>
    IReadOnlyList<LiveTensor> Tensors { get; }

    /// <summary>Who owns the memory.</summary>
    ProducerInfo Producer { get; }

    /// <summary>Path of the producer's state page (64 bytes, docs/format-handles.md), or null when it publishes none.</summary>
    string? StatePagePath { get; }

    /// <summary>
    /// Tensors on disk that the producer says have no live counterpart: name and reason. Empty when it does not say.
    /// </summary>
    IReadOnlyDictionary<string, string> DeclaredNotLive { get; }

    /// <summary>Reads bytes of a tensor in contiguous order.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="byteOffset">Bytes from the tensor's first element, in contiguous order.</param>
    /// <param name="destination">Filled whole.</param>
    /// <exception cref="CheckpointException">SourceUnavailable: the memory cannot be read (any more).</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the tensor: our own defect.</exception>
    void Read(LiveTensor tensor, long byteOffset, Span<byte> destination);

    /// <summary>
    /// A reader for one thread that reads ahead, or null where waiting costs nothing: reading then is copying, and there is nothing to
    /// overlap. The receiver disposes it before the source.
    /// </summary>
    IReadAhead? OpenReadAhead() => null;
}
