using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>
/// Where a version changed the model: tensor families down, layers across. A delta's index knows which chunks changed, how they were
/// coded and in how many bytes; the header knows how many elements changed in all. So the share of a cell is exact where it is 0, and
/// else the changed elements of the version apportioned by coded bytes, at most all elements of the cell.
/// </summary>
internal sealed class HeatMap
{
    private readonly Dictionary<(string Family, int Layer), HeatCell> cells = [];

    private HeatMap(long version) => Version = version;

    /// <summary>The column of what belongs to no layer.</summary>
    public const int NoLayer = -1;

    /// <summary>The version.</summary>
    public long Version { get; }

    /// <summary>The rows, from input to output.</summary>
    public IReadOnlyList<string> Families { get; private set; } = [];

    /// <summary>The columns, ascending; <see cref="NoLayer"/> first where there is one.</summary>
    public IReadOnlyList<int> Layers { get; private set; } = [];

    /// <summary>The cell, or null where the model has no such tensor.</summary>
    public HeatCell? At(string family, int layer) => cells.GetValueOrDefault((family, layer));

    /// <summary>The cells of a row.</summary>
    public IEnumerable<HeatCell> Row(string family) => Layers.Select(layer => At(family, layer)).OfType<HeatCell>();

    /// <summary>Reads the index of a delta.</summary>
    /// <exception cref="CheckpointException">JournalDamaged, JournalForeign, DiskReadFailed.</exception>
    public static HeatMap Read(string deltaPath, ModelLayout layout)
    {
        using DeltaReader delta = DeltaReader.Open(Disk.Instance, deltaPath, layout);
        DeltaChunk[] chunks = delta.ReadChunks();
        double elementsPerByte = delta.Header.ChangedUnits / Math.Max(1.0, chunks.Sum(chunk => (long)chunk.PayloadLength));
        HeatMap map = new(delta.Header.Version);
        foreach (TensorEntry tensor in layout.Shards.SelectMany(shard => shard.Header.Tensors))
        {
            map.CellOf(tensor).Elements += tensor.Units;
        }

        foreach (DeltaChunk entry in chunks)
        {
            Chunk chunk = layout[entry.Ordinal];
            // Dense and repair hold every element, whatever changed; the class and gap codes hold changes alone.
            bool isWhole = entry.Encoding is ChunkEncoding.Dense or ChunkEncoding.Repair;
            map.CellOf(chunk.Tensor).Changed += isWhole ? chunk.Units : Math.Min(chunk.Units, entry.PayloadLength * elementsPerByte);
        }

        map.Families =
        [
            .. map.cells.Keys.Select(key => key.Family).Distinct().OrderBy(TensorPlace.RankOf).ThenBy(name => name, StringComparer.Ordinal),
        ];
        map.Layers = [.. map.cells.Keys.Select(key => key.Layer).Distinct().Order()];
        return map;
    }

    private HeatCell CellOf(TensorEntry tensor)
    {
        TensorPlace place = TensorPlace.Of(tensor.Name);
        (string, int) key = (place.Family, place.Layer ?? NoLayer);
        return cells.TryGetValue(key, out HeatCell? cell) ? cell : cells[key] = new HeatCell();
    }
}
