using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>What will be compared with what: complete, checked, pure data. Every tensor on disk is in exactly one of the three lists.</summary>
/// <param name="Tensors">Live tensors on disk, by shard then file offset.</param>
/// <param name="NotLive">Tensors left as they are, with the reason.</param>
/// <param name="Mismatches">What does not fit; a sync refuses unless the user allows a partial plan.</param>
/// <param name="Family">The rule table that was used ("Qwen3", "handles v2", "names 1:1"), for the report.</param>
public sealed record SyncPlan(
    IReadOnlyList<PlannedTensor> Tensors,
    IReadOnlyList<NotLiveTensor> NotLive,
    IReadOnlyList<PlanMismatch> Mismatches,
    string Family
)
{
    /// <summary>Bytes on disk that are live.</summary>
    public long LiveBytes => Tensors.Sum(tensor => tensor.Entry.ByteLength);

    /// <summary>Bytes on disk that are not live.</summary>
    public long NotLiveBytes => NotLive.Sum(tensor => tensor.Entry.ByteLength);

    /// <summary>The live tensors that are read, each once.</summary>
    public IEnumerable<LiveTensor> LiveTensors => Tensors.SelectMany(tensor => tensor.Regions).Select(region => region.Live).Distinct();

    /// <summary>
    /// The tensors in the order of <see cref="Tensors"/>, those that come from the same live memory together (a tied head stored beside
    /// its embedding): same regions, same shape and type on disk, so that the chunks are the same too and one read serves them all.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<PlannedTensor>> Twins()
    {
        Dictionary<TwinKey, List<PlannedTensor>> groups = [];
        List<List<PlannedTensor>> ordered = [];
        foreach (PlannedTensor tensor in Tensors)
        {
            TwinKey key = new(tensor);
            if (!groups.TryGetValue(key, out List<PlannedTensor>? group))
            {
                groups[key] = group = [];
                ordered.Add(group);
            }

            group.Add(tensor);
        }

        return ordered;
    }

    /// <summary>Equal for tensors that one read serves.</summary>
    private readonly struct TwinKey(PlannedTensor tensor) : IEquatable<TwinKey>
    {
        private readonly PlannedTensor tensor = tensor;

        public bool Equals(TwinKey other) =>
            tensor.Entry.Type == other.tensor.Entry.Type
            && tensor.Entry.Shape.SequenceEqual(other.tensor.Entry.Shape)
            && tensor.Regions.Count == other.tensor.Regions.Count
            && tensor.Regions.Zip(other.tensor.Regions).All(pair => Same(pair.First, pair.Second));

        public override bool Equals(object? obj) => obj is TwinKey other && Equals(other);

        // The first region tells nearly all tensors apart; Equals compares the rest.
        public override int GetHashCode() =>
            tensor.Regions is [{ } first, ..] ? HashCode.Combine(Memory(first.Live), first.LiveRectangle, first.FileRectangle) : 0;

        private static bool Same(PlannedRegion a, PlannedRegion b) =>
            Memory(a.Live) == Memory(b.Live)
            && a.Live.Type == b.Live.Type
            && a.LiveRectangle.Equals(b.LiveRectangle)
            && a.FileRectangle.Equals(b.FileRectangle)
            && a.Live.Shape.SequenceEqual(b.Live.Shape);

        private static (string Name, int Rank) Memory(LiveTensor live) => live.StorageKey is { } key ? (key, -1) : (live.Name, live.Rank);
    }
}
