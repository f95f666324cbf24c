namespace ApolloCheckpoint.Engine.Weights;

/// <summary>
/// Reads ahead for one thread: a range is asked for, something else is done meanwhile, and its bytes are taken where they lie. Ranges are
/// taken in the order in which they were started, and at most two are under way.
/// </summary>
public interface IReadAhead : IDisposable
{
    /// <summary>Begins to read a range and returns at once. Overwrites the bytes of the last but one <see cref="Take"/>.</summary>
    /// <param name="tensor">One of the source's.</param>
    /// <param name="byteOffset">Bytes from the tensor's first element, in contiguous order.</param>
    /// <param name="length">Bytes; at most those of the largest chunk, 4 MiB.</param>
    /// <exception cref="CheckpointException">SourceUnavailable.</exception>
    void Start(LiveTensor tensor, long byteOffset, int length);

    /// <summary>Waits for the oldest range under way and gives its bytes, contiguous.</summary>
    /// <exception cref="CheckpointException">SourceUnavailable: the memory cannot be read (any more).</exception>
    ReadOnlyMemory<byte> Take();
}
