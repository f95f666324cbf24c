using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// Live weights as torch sees them: torch itself, in the user's own Python, opens every tensor in a child process and keeps it open for the
/// run. Bytes that lie in order in the child's memory are read there; what torch has to bring together (GPU memory, strides) comes through
/// windows of shared memory. This process holds no more than those, whatever the model's size.
/// </summary>
/// <remarks>
/// Two ways in. What our own parser reads is opened without executing anything of the file: files are mapped, CUDA tuples go to torch's
/// rebuild_cuda_tensor (the part that could not be run where this was written: it needs a GPU). A pickle whose handles are calls, as the
/// program before this one wrote them, has to be executed, and is only with <see cref="SyncRequest.TrustPickle"/>.
/// </remarks>
internal sealed class PythonWeightSource : IWeightSource
{
    private readonly HostProcess host;
    private readonly HandlesFile? handles;
    private readonly Dictionary<LiveTensor, int> numbers = new(ReferenceEqualityComparer.Instance);

    private PythonWeightSource(HostProcess host, HandlesFile? handles, IReadOnlyList<LiveTensor> tensors, HostOpenReply reply)
    {
        this.host = host;
        this.handles = handles;
        Tensors = tensors;
        Producer = handles?.Producer ?? ProducerInfo.Unknown with { Description = $"torch {reply.Torch}, Python {reply.Python}" };
        for (int i = 0; i < tensors.Count; i++)
        {
            numbers.Add(tensors[i], i);
        }
    }

    /// <inheritdoc/>
    public string Kind => "python";

    /// <inheritdoc/>
    public IReadOnlyList<LiveTensor> Tensors { get; }

    /// <inheritdoc/>
    public ProducerInfo Producer { get; }

    /// <inheritdoc/>
    public string? StatePagePath => handles?.StatePagePath;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> DeclaredNotLive => handles?.UnmappedDisk ?? new Dictionary<string, string>();

    /// <summary>The child's process id.</summary>
    internal int HostProcessId => host.ProcessId;

    /// <summary>Reads the handles (or, when the user trusts the file, leaves that to torch) and opens every tensor in a child.</summary>
    /// <exception cref="CheckpointException">
    /// HandlesNotFound, HandlesUnsafe, HandlesMalformed, ProducerGone as every source; SourceUnsupported: the interpreter cannot be used, or
    /// the file needs trust; SourceUnavailable: torch cannot open what it names.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled; the child is gone.</exception>
    internal static PythonWeightSource Open(SyncRequest request, CancellationToken cancellation)
    {
        FileRules rules = FileRules.For(request.HandlesOwner);
        using PythonFiles files = new(rules);
        string path = Path.GetFullPath(request.Handles);
        if (Directory.Exists(path))
        {
            return Open(request, HandlesDirectory.Read(path, rules, cancellation), files, cancellation);
        }

        DiskFile file = files.TryOpen(path) ?? throw HandlesFile.NotFound(request.Handles);
        return request.TrustPickle && !IsJson(file)
            ? Open(request, new HostSourceRequest(file.PathForChild, path, null), handles: null, cancellation)
            : Open(request, HandlesFile.Parse(file, cancellation), files, cancellation);
    }

    /// <inheritdoc/>
    public void Read(LiveTensor tensor, long byteOffset, Span<byte> destination)
    {
        if (!numbers.TryGetValue(tensor, out int number))
        {
            throw new ArgumentException($"tensor {tensor.Name} is not of this source", nameof(tensor));
        }

        LiveCatalog.CheckRange(tensor, byteOffset, destination.Length);
        if (host.TryRead(number, byteOffset, destination))
        {
            return;
        }

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

    private static PythonWeightSource Open(SyncRequest request, HandlesFile handles, PythonFiles files, CancellationToken cancellation)
    {
        foreach (ProducerInfo producer in handles.Producers)
        {
            ProducerCheck.EnsureAlive(producer);
        }

        return Open(request, PythonRequests.For(handles, files), handles, cancellation);
    }

    private static PythonWeightSource Open(
        SyncRequest request,
        HostSourceRequest source,
        HandlesFile? handles,
        CancellationToken cancellation
    )
    {
        PythonInterpreter interpreter = PythonInterpreter.Find(request.Python, cancellation);
        HostProcess host = HostProcess.Start(request.ToolCommand);
        try
        {
            HostOpenReply reply = host.Open(interpreter, source, cancellation);
            IReadOnlyList<LiveTensor> tensors = handles is null ? ToLive(reply, source) : new LiveCatalog(handles).Tensors;
            return new PythonWeightSource(host, handles, tensors, reply);
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    /// <summary>Whether it is our own JSON: no torch container begins like that.</summary>
    private static bool IsJson(DiskFile file)
    {
        Span<byte> first = stackalloc byte[1];
        return file.Read(first, 0) == 1 && first[0] is (byte)'{' or (byte)' ' or (byte)'\n';
    }

    /// <summary>The tensors of a file that torch has read.</summary>
    private static List<LiveTensor> ToLive(HostOpenReply reply, HostSourceRequest source)
    {
        List<LiveTensor> tensors = [];
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (HostTensor tensor in reply.Tensors ?? [])
        {
            if (!ElementTypes.TryParse(tensor.Type, out ElementType type) || !names.Add(tensor.Name))
            {
                throw HandlesFile.Malformed(
                    source.PickleName ?? "",
                    $"holds tensor \"{tensor.Name}\" twice, or of a type that is not known"
                );
            }

            tensors.Add(new LiveTensor(tensor.Name, type, tensor.Shape) { StorageKey = tensor.Key });
        }

        return tensors;
    }
}
