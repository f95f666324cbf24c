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
}
