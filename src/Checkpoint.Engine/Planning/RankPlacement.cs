using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Places tensors that a dense family cuts over ranks: rows of merged modules and of the vocabulary, columns of the modules that end a
/// block, everything else whole on each rank. What fits none of these exactly is left to handles v2. Of equal copies that one is taken
/// that vLLM computes with: embeddings of the first pipeline stage, head and last norm of the last, the first rank within a stage.
/// </summary>
internal sealed class RankPlacement(DiskIndex disk, LiveIndex live, FamilyRules family, ModelConfig? config, PlanDraft draft)
{
    private static readonly string[] ColumnCut = ["o_proj", "down_proj"];

    private readonly RankGrid grid = RankGrid.Of(live);

    /// <summary>The regions, or null after the draft was told what does not fit.</summary>
    internal IReadOnlyList<PlannedRegion>? Regions(DiskTensor tensor, LivePlace place)
    {
        if (!family.CutsByRank || grid.Problem is not null)
        {
            string why = grid.Problem ?? $"the rules of {family.Name} do not say how it is cut";
            draft.Refuse(
                "unsupported",
                tensor.Name,
                $"{place.LiveName} is spread over {live.Ranks} ranks, and {why}; handles v2 say what each holds"
            );
            return null;
        }

        bool last = RankGrid.LayerOf(place.LiveName) is null && TensorName.Parse(place.LiveName).Module != "embed_tokens";
        if (grid.Stage(place.Found, last) is not { } ranks)
        {
            draft.Refuse(
                "missing",
                tensor.Name,
                $"{place.LiveName} is on {place.Found.Count} ranks, on all {grid.Width} of a stage was expected"
            );
            return null;
        }

        if (ranks.Any(rank => !Shapes.Same(rank.Shape, ranks[0].Shape)))
        {
            draft.Refuse("shape", tensor.Name, $"{place.LiveName} has different shapes on ranks {ranks[0].Rank} to {ranks[^1].Rank}");
            return null;
        }

        IReadOnlyList<PlannedRegion>? regions = place.Slot switch
        {
            LiveSlot.Vocabulary => Vocabulary(tensor, ranks),
            LiveSlot.Merged => Merged(tensor, place, ranks),
            _ => WholeOrColumns(tensor, ranks),
        };
        if (regions is null)
        {
            string shapes = $"{Shapes.Text(tensor.Entry.Shape)} on disk, {Shapes.Text(ranks[0].Shape)} on each of {ranks.Count} ranks";
            draft.Refuse(
                "shape",
                tensor.Name,
                $"{shapes} in {place.LiveName}: no cut that the rules know; handles v2 say what each rank holds"
            );
        }

        return regions;
    }

    /// <summary>Rank k holds rows [k·p, k·p + p) of the padded vocabulary; beyond the last word there is padding, on some ranks nothing else.</summary>
    private static List<PlannedRegion>? Vocabulary(DiskTensor tensor, IReadOnlyList<LiveTensor> ranks)
    {
        IReadOnlyList<long> shape = tensor.Entry.Shape;
        if (!Shapes.SameBelowRows(shape, ranks[0].Shape) || (Int128)ranks[0].Shape[0] * ranks.Count < shape[0])
        {
            return null;
        }

        List<PlannedRegion> regions = [];
        for (int k = 0; k < ranks.Count; k++)
        {
            long rows = ranks[k].Shape[0];
            long words = Math.Clamp(shape[0] - k * rows, 0, rows);
            if (words > 0)
            {
                regions.Add(Rows(ranks[k], 0, shape, k * rows, words));
            }
        }

        return regions;
    }

    private List<PlannedRegion>? Merged(DiskTensor tensor, LivePlace place, IReadOnlyList<LiveTensor> ranks)
    {
        IReadOnlyList<long> shape = tensor.Entry.Shape;
        if (Siblings.Find(disk, tensor, place) is not { } siblings || !Shapes.SameBelowRows(shape, ranks[0].Shape))
        {
            return null;
        }

        long[] pieces = [.. siblings.Rows.Select((_, part) => PieceCount(place, part, ranks.Count))];
        if (pieces.Contains(0) || siblings.Rows.Zip(pieces).Any(row => row.First % row.Second != 0))
        {
            return null;
        }

        long[] rows = [.. siblings.Rows.Zip(pieces, (all, count) => all / count)];
        if (rows.Sum() != ranks[0].Shape[0])
        {
            return null;
        }

        // Where there are fewer pieces than ranks, as many neighbours hold the same; the first of them is read.
        long copies = ranks.Count / pieces[place.Part];
        long mine = rows[place.Part];
        return
        [
            .. ranks
                .Where((_, k) => k % copies == 0)
                .Select((rank, piece) => Rows(rank, rows.Take(place.Part).Sum(), shape, piece * mine, mine)),
        ];
    }

    /// <summary>In how many pieces a part is cut: one a rank, but never more than there are key and value heads; 0 when that is uneven.</summary>
    private long PieceCount(LivePlace place, int part, int ranks)
    {
        bool isKeyOrValue = place.Together is ["q_proj", ..] && part > 0;
        long? heads = place.Together is ["q_proj", ..] ? (isKeyOrValue ? config?.KeyValueHeads : config?.AttentionHeads) : ranks;
        return heads switch
        {
            null or 0 => 0,
            _ when heads % ranks == 0 => ranks,
            _ when isKeyOrValue && ranks % heads == 0 => heads.Value,
            _ => 0,
        };
    }

    private static List<PlannedRegion>? WholeOrColumns(DiskTensor tensor, IReadOnlyList<LiveTensor> ranks)
    {
        IReadOnlyList<long> shape = tensor.Entry.Shape;
        if (Shapes.Same(shape, ranks[0].Shape))
        {
            return [new PlannedRegion(ranks[0], Rectangle.Whole(shape), Rectangle.Whole(shape))];
        }

        bool isCut = ColumnCut.Contains(TensorName.Parse(tensor.Name).Module, StringComparer.Ordinal);
        if (!isCut || shape is not [var rows, var columns] || ranks[0].Shape is not [var liveRows, var width])
        {
            return null;
        }

        return liveRows != rows || (Int128)width * ranks.Count != columns
            ? null
            :
            [
                .. ranks.Select(
                    (rank, k) => new PlannedRegion(rank, Rectangle.Whole(rank.Shape), new Rectangle([0, k * width], [rows, width]))
                ),
            ];
    }

    private static PlannedRegion Rows(LiveTensor rank, long liveStart, IReadOnlyList<long> shape, long fileStart, long count) =>
        new(rank, Rectangle.Rows(rank.Shape, liveStart, count), Rectangle.Rows(shape, fileStart, count));
}
