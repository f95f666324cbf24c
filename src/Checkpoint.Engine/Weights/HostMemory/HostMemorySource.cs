using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.HostMemory;

/// <summary>
/// Live weights in files: shared memory in /dev/shm, or any memory that a path reaches. Read by pread and not through a mapping, for two
/// reasons: a producer that cuts its file short under a mapping would kill this process with SIGBUS; and a mapping that is read once pays
/// a page fault for every few pages (measured on /dev/shm, 2 MiB windows: 12 GB/s a core by pread, 1.5 GB/s through a fresh mapping).
/// Assumes handles that were proven; promises that a file that is too short is an error, never zeros.
/// </summary>
internal sealed class HostMemorySource : IWeightSource
{
    private readonly HandlesFile handles;
    private readonly LiveCatalog catalog;
    private readonly Dictionary<string, IDiskFile> files;

    private HostMemorySource(HandlesFile handles, Dictionary<string, IDiskFile> files)
    {
        this.handles = handles;
        this.files = files;
        catalog = new LiveCatalog(handles);
    }

    /// <inheritdoc/>
    public string Kind => "host memory";

    /// <inheritdoc/>
    public IReadOnlyList<LiveTensor> Tensors => catalog.Tensors;

    /// <inheritdoc/>
    public ProducerInfo Producer => handles.Producer;

    /// <inheritdoc/>
    public string? StatePagePath => handles.StatePagePath;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> DeclaredNotLive => handles.UnmappedDisk;

    /// <summary>Opens every file that a tensor lies in.</summary>
    /// <param name="handles">What is to be read; tensors in other memory are listed, and must not be read.</param>
    /// <param name="rules">Who may have written the files.</param>
    /// <exception cref="CheckpointException">HandlesUnsafe; SourceUnavailable: a file is missing or too short.</exception>
    internal static HostMemorySource Open(HandlesFile handles, FileRules rules)
    {
        Dictionary<string, IDiskFile> files = new(StringComparer.Ordinal);
        try
        {
            foreach (HandleAllocation allocation in FilesOf(handles))
            {
                if (!files.TryGetValue(allocation.Path, out IDiskFile? file))
                {
                    file = rules.TryOpen(allocation.Path) ?? throw Unavailable(allocation, "is gone");
                    files.Add(allocation.Path, file);
                }

                if (file.Length < allocation.FileOffset + allocation.Size)
                {
                    throw Unavailable(allocation, $"has {file.Length} bytes, the handles need {allocation.FileOffset + allocation.Size}");
                }
            }

            return new HostMemorySource(handles, files);
        }
        catch
        {
            Close(files);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Read(LiveTensor tensor, long byteOffset, Span<byte> destination)
    {
        HandleTensor place = catalog.Find(tensor, byteOffset, destination.Length);
        if (place.Allocation is not { } allocation)
        {
            return;
        }

        IDiskFile file = files[allocation.Path];
        long start = allocation.FileOffset + place.AllocationOffset;
        place.Layout.Gather(
            byteOffset,
            destination,
            (memoryOffset, window) =>
            {
                if (file.Read(window, start + memoryOffset) != window.Length)
                {
                    throw Unavailable(allocation, "was cut short while it was read");
                }
            }
        );
    }

    /// <inheritdoc/>
    public void Dispose() => Close(files);

    private static IEnumerable<HandleAllocation> FilesOf(HandlesFile handles) =>
        handles.Tensors.Select(tensor => tensor.Allocation).OfType<HandleAllocation>().Where(a => a.Kind == AllocationKind.File).Distinct();

    private static void Close(Dictionary<string, IDiskFile> files)
    {
        foreach (IDiskFile file in files.Values)
        {
            file.Dispose();
        }
    }

    private static CheckpointException Unavailable(HandleAllocation allocation, string what) =>
        new(
            CheckpointError.SourceUnavailable,
            $"live memory {allocation.Path} {what}",
            "restart the producer, so that its hook publishes again"
        );
}
