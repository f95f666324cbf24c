using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>A plan as people and scripts read it: rows and the numbers of the summary line. Pure data; the tool renders it.</summary>
public sealed record PlanDescription
{
    /// <summary>The rules that were used.</summary>
    public required string Family { get; init; }

    /// <summary>One row a region. Rows of one live tensor follow each other, by place in it; live tensors in the order of the files.</summary>
    public required IReadOnlyList<PlanRow> Rows { get; init; }

    /// <summary>What is left as it is, in the order of the files.</summary>
    public required IReadOnlyList<PlanNotLiveRow> NotLive { get; init; }

    /// <summary>What does not fit.</summary>
    public required IReadOnlyList<PlanMismatch> Mismatches { get; init; }

    /// <summary>Tensors on disk that are mapped.</summary>
    public required int MappedTensors { get; init; }

    /// <summary>Tensors on disk.</summary>
    public required int TotalTensors { get; init; }

    /// <summary>Live tensors that they come from.</summary>
    public required int LiveTensors { get; init; }

    /// <summary>Bytes on disk that are mapped.</summary>
    public required long MappedBytes { get; init; }

    /// <summary>Bytes of all tensors on disk.</summary>
    public required long TotalBytes { get; init; }

    /// <summary>Reasons and how many tensors have them, the commonest first.</summary>
    public IReadOnlyList<(string Reason, int Count)> NotLiveReasons =>
        [.. NotLive.CountBy(row => row.Reason).OrderByDescending(row => row.Value).Select(row => (row.Key, row.Value))];

    /// <summary>Describes a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="layout">The model that it was made for.</param>
    public static PlanDescription Of(SyncPlan plan, ModelLayout layout) =>
        new()
        {
            Family = plan.Family,
            Rows = OrderByLive([.. plan.Tensors.SelectMany(tensor => tensor.Regions.Select(region => (tensor, region)))]),
            NotLive =
            [
                .. plan.NotLive.Select(row => new PlanNotLiveRow(row.Entry.Name, row.Shard.FileName, row.Reason, row.Entry.ByteLength)),
            ],
            Mismatches = plan.Mismatches,
            MappedTensors = plan.Tensors.Count,
            TotalTensors = layout.Shards.Sum(shard => shard.Header.Tensors.Count),
            LiveTensors = plan.LiveTensors.Count(),
            MappedBytes = plan.LiveBytes,
            TotalBytes = layout.DataBytes,
        };

    private static List<PlanRow> OrderByLive(List<(PlannedTensor Tensor, PlannedRegion Region)> regions) =>
        [
            // GroupBy keeps the order in which it meets the keys.
            .. regions
                .GroupBy(row => (row.Region.Live.Rank, row.Region.Live.Name))
                .SelectMany(group => group.OrderBy(row => row.Region.LiveRectangle.Start, FirstDifference.Instance))
                .Select(row => Row(row.Tensor, row.Region)),
        ];

    private static PlanRow Row(PlannedTensor tensor, PlannedRegion region) =>
        new(
            region.Live.Name,
            region.Live.Rank,
            tensor.Entry.Name,
            tensor.Shard.FileName,
            tensor.Rule,
            RowText(region.LiveRectangle, region.Live.Shape),
            RowText(region.FileRectangle, tensor.Entry.Shape),
            tensor.LiveType.Name(),
            tensor.Entry.Type.Name(),
            (long)((Int128)region.FileRectangle.Elements * tensor.Entry.Type.Bits() / 8)
        );

    private static string RowText(Rectangle rectangle, IReadOnlyList<long> shape) =>
        shape.Count == 0 ? ""
        : Shapes.SameBelowRows(rectangle.Length, shape) ? $"{rectangle.Start[0]}..{rectangle.Start[0] + rectangle.Length[0]}"
        : rectangle.ToString();

    private sealed class FirstDifference : IComparer<IReadOnlyList<long>>
    {
        internal static readonly FirstDifference Instance = new();

        public int Compare(IReadOnlyList<long>? x, IReadOnlyList<long>? y) =>
            (x ?? []).Zip(y ?? [], (a, b) => a.CompareTo(b)).FirstOrDefault(order => order != 0);
    }
}
