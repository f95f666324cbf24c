using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Places tensors of a producer of one rank. Row offsets come from the disk shapes of the parts themselves; the live tensor must be
/// exactly as large as they say, or nothing is placed.
/// </summary>
internal sealed class SinglePlacement(DiskIndex disk, ModelConfig? config, PlanOptions options, PlanDraft draft)
{
    /// <summary>The region, or null after the draft was told what does not fit.</summary>
    internal PlannedRegion? Region(DiskTensor tensor, LivePlace place)
    {
        LiveTensor live = place.Found[0];
        Rectangle? rectangle = place.Slot switch
        {
            LiveSlot.Merged => MergedRows(tensor, place, live),
            LiveSlot.Expert => ExpertRows(tensor, place, live),
            _ => WholeOrPadded(tensor, place, live),
        };
        return rectangle is null ? null : new PlannedRegion(live, rectangle, Rectangle.Whole(tensor.Entry.Shape));
    }

    private Rectangle? WholeOrPadded(DiskTensor tensor, LivePlace place, LiveTensor live)
    {
        IReadOnlyList<long> shape = tensor.Entry.Shape;
        bool sameName = LiveNames.WithoutWrapper(live.Name) == tensor.Name;
        if (sameName ? Shapes.SameWhole(live.Shape, shape) : Shapes.Same(live.Shape, shape))
        {
            return Rectangle.Whole(live.Shape);
        }

        if (place.Slot == LiveSlot.Vocabulary && Shapes.SameBelowRows(shape, live.Shape) && shape[0] < live.Shape[0])
        {
            return Rectangle.Rows(live.Shape, 0, shape[0]);
        }

        string rest = live.Elements == 0 ? "; it is empty, so the producer keeps the weights elsewhere" : "";
        draft.Refuse("shape", tensor.Name, $"{Shapes.Text(shape)} on disk, {Shapes.Text(live.Shape)} in {live.Name}{rest}");
        return null;
    }

    private Rectangle? MergedRows(DiskTensor tensor, LivePlace place, LiveTensor live)
    {
        IReadOnlyList<long> shape = tensor.Entry.Shape;
        if (Siblings.Find(disk, tensor, place) is not { } siblings)
        {
            string all = string.Join(", ", place.Together);
            draft.Refuse("shape", tensor.Name, $"it is one part of {live.Name}, but the files do not hold all of {all}");
            return null;
        }

        if (!Shapes.SameBelowRows(shape, live.Shape) || siblings.Total != live.Shape[0])
        {
            string found = $"{live.Name} is {Shapes.Text(live.Shape)}";
            draft.Refuse("shape", tensor.Name, $"its parts make {siblings.Total} rows of {Shapes.Text(shape)} on disk, {found}");
            return null;
        }

        if (HeadProblem(tensor, place) is { } problem)
        {
            draft.Refuse("shape", tensor.Name, problem);
            return null;
        }

        return Rectangle.Rows(live.Shape, siblings.Offset, shape[0]);
    }

    private Rectangle? ExpertRows(DiskTensor tensor, LivePlace place, LiveTensor live)
    {
        IReadOnlyList<long> shape = tensor.Entry.Shape;
        bool fits = live.Shape.Count == 3 && Shapes.SameBelowRows(shape, [.. live.Shape.Skip(1)]) && place.Expert < live.Shape[0];
        if (!fits || Siblings.Find(disk, tensor, place) is not { } siblings || siblings.Total != live.Shape[1])
        {
            string expert = $"expert {place.Expert} of {live.Name} {Shapes.Text(live.Shape)}";
            draft.Refuse("shape", tensor.Name, $"{Shapes.Text(shape)} on disk does not fit {expert}");
            return null;
        }

        if (!options.TrustMapping)
        {
            // Some of vLLM's mixture backends swap or repack the halves of w13 and keep its shape, and nothing in the handles tells.
            draft.Refuse(
                "unproven",
                tensor.Name,
                $"how {live.Name} is laid out depends on vLLM's MoE backend, which the handles do not name"
            );
            return null;
        }

        return new Rectangle([place.Expert, siblings.Offset, 0], [1, shape[0], shape[1]]);
    }

    /// <summary>config.json and the files must speak of the same heads.</summary>
    private string? HeadProblem(DiskTensor tensor, LivePlace place)
    {
        if (place.Together is not ["q_proj", ..] || !TensorName.Parse(tensor.Name).Parent.EndsWith("self_attn.", StringComparison.Ordinal))
        {
            return null;
        }

        long? heads = place.Part == 0 ? config?.AttentionHeads : config?.KeyValueHeads;
        return heads is > 0 && tensor.Entry.Shape[0] % heads != 0
            ? $"{tensor.Entry.Shape[0]} rows cannot be the {heads} heads that config.json says"
            : null;
    }
}
