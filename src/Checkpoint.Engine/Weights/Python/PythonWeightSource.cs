using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// Live weights as torch sees them: torch itself, in the user's own Python, opens every tensor in a child process and keeps it open for the
/// run; the bytes come through windows of shared memory, so that this process holds no more than those, whatever the model's size.
/// </summary>
internal sealed class PythonWeightSource : IWeightSource
{
    private readonly HostProcess host;
    private readonly Dictionary<(string Name, int Rank), int> numbers = [];

    private PythonWeightSource(HostProcess host, IReadOnlyList<LiveTensor> tensors, ProducerInfo producer)
    {
        this.host = host;
        Tensors = tensors;
        Producer = producer;
        for (int i = 0; i < tensors.Count; i++)
        {
            numbers.Add((tensors[i].Name, tensors[i].Rank), i);
        }
    }

    /// <inheritdoc/>
    public string Kind => "python";

    /// <inheritdoc/>
    public IReadOnlyList<LiveTensor> Tensors { get; }

    /// <inheritdoc/>
    public ProducerInfo Producer { get; }

    /// <inheritdoc/>
    public string? StatePagePath => null;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> DeclaredNotLive { get; } = new Dictionary<string, string>();

    /// <summary>The child's process id.</summary>
    internal int HostProcessId => host.ProcessId;

    internal static PythonWeightSource Open(SyncRequest request, CancellationToken cancellation)
    {
        if (!request.TrustPickle)
        {
            throw new CheckpointException(
                CheckpointError.SourceUnsupported,
                $"{request.Handles} holds Python calls: torch can only open it by executing them",
                "if nobody but you can write that file: --trust-pickle, which runs whatever the file says, as you"
            );
        }

        PythonInterpreter interpreter = PythonInterpreter.Find(request.Python, cancellation);
        HostProcess host = HostProcess.Start(request.ToolCommand, null);
        try
        {
            HostOpenReply reply = host.Open(interpreter, new HostSourceRequest(Path.GetFullPath(request.Handles), null), cancellation);
            return new PythonWeightSource(
                host,
                [.. (reply.Tensors ?? []).Select(ToLive)],
                ProducerInfo.Unknown with
                {
                    Description = $"torch {reply.Torch}, Python {reply.Python}",
                }
            );
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Read(LiveTensor tensor, long byteOffset, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteOffset, tensor.ByteLength - destination.Length);
        int number = numbers[(tensor.Name, tensor.Rank)];
        int unit = tensor.Type.UnitBytes();
        while (!destination.IsEmpty)
        {
            // The host copies whole elements; a cut one is asked for whole.
            int skip = (int)(byteOffset % unit);
            int count = Math.Min(destination.Length, SharedWindows.WindowBytes - skip);
            int length = (skip + count + unit - 1) / unit * unit;
            host.Fetch(number, byteOffset - skip, length, skip, destination[..count]);
            destination = destination[count..];
            byteOffset += count;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => host.Dispose();

    private static LiveTensor ToLive(HostTensor tensor) =>
        ElementTypes.TryParse(tensor.Type, out ElementType type)
            ? new LiveTensor(tensor.Name, type, tensor.Shape) { StorageKey = tensor.Key }
            : throw new CheckpointException(
                CheckpointError.SourceUnsupported,
                $"tensor \"{tensor.Name}\" has the unknown type {tensor.Type}"
            );
}
