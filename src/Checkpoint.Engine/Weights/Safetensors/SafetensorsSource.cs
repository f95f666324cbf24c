using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Weights.Safetensors;

/// <summary>Another model directory as the source: its tensors under the names of its headers.</summary>
internal sealed class SafetensorsSource : IWeightSource
{
    private readonly Dictionary<LiveTensor, (IDiskFile File, TensorEntry Entry)> places = new(ReferenceEqualityComparer.Instance);
    private readonly List<IDiskFile> files = [];

    private SafetensorsSource(IReadOnlyList<LiveTensor> tensors, string path)
    {
        Tensors = tensors;
        Producer = ProducerInfo.Unknown with { Description = path };
    }

    /// <inheritdoc/>
    public string Kind => "safetensors";

    /// <inheritdoc/>
    public IReadOnlyList<LiveTensor> Tensors { get; }

    /// <inheritdoc/>
    public ProducerInfo Producer { get; }

    /// <inheritdoc/>
    public string? StatePagePath => null;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> DeclaredNotLive { get; } = new Dictionary<string, string>();

    /// <summary>Opens the directory and every shard in it.</summary>
    /// <exception cref="CheckpointException">HandlesNotFound; HandlesMalformed: it is no model directory, with what is wrong.</exception>
    internal static SafetensorsSource Open(IDisk disk, string path)
    {
        if (!Directory.Exists(path))
        {
            throw new CheckpointException(
                CheckpointError.HandlesNotFound,
                $"Model directory to read from not found: {path}",
                "name it with --handles"
            );
        }

        ModelDirectory model;
        try
        {
            model = ModelDirectory.Open(disk, path);
        }
        catch (CheckpointException e)
        {
            // The code would say that the target is malformed; this directory is the source.
            throw new CheckpointException(CheckpointError.HandlesMalformed, e.Message, e.Next, e) { Details = e.Details };
        }

        return Open(disk, model);
    }

    private static SafetensorsSource Open(IDisk disk, ModelDirectory model)
    {
        List<(LiveTensor Live, Shard Shard, TensorEntry Entry)> rows =
        [
            .. model.Layout.Shards.SelectMany(shard =>
                shard.Header.Tensors.Select(entry => (new LiveTensor(entry.Name, entry.Type, entry.Shape), shard, entry))
            ),
        ];
        SafetensorsSource source = new([.. rows.Select(row => row.Live)], model.Path);
        try
        {
            foreach (IGrouping<Shard, (LiveTensor Live, Shard Shard, TensorEntry Entry)> group in rows.GroupBy(row => row.Shard))
            {
                // A hub cache links its shards; they are only read here.
                string? target = File.ResolveLinkTarget(group.Key.FilePath, returnFinalTarget: true)?.FullName;
                IDiskFile file = disk.Open(target ?? group.Key.FilePath);
                source.files.Add(file);
                foreach ((LiveTensor live, _, TensorEntry entry) in group)
                {
                    source.places.Add(live, (file, entry));
                }
            }

            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Read(LiveTensor tensor, long byteOffset, Span<byte> destination)
    {
        if (!places.TryGetValue(tensor, out (IDiskFile File, TensorEntry Entry) place))
        {
            throw new ArgumentException($"tensor {tensor.Name} is not of this source", nameof(tensor));
        }

        LiveCatalog.CheckRange(tensor, byteOffset, destination.Length);
        if (place.File.Read(destination, place.Entry.FileOffset + byteOffset) != destination.Length)
        {
            throw new CheckpointException(
                CheckpointError.SourceUnavailable,
                $"{place.File.Path} was cut short while it was read",
                "let the model directory hold still while it is read from"
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDiskFile file in files)
        {
            file.Dispose();
        }
    }
}
