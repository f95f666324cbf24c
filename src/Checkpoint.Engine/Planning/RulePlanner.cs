using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Places tensors by equal names and by the rules of a family, for producers whose handles do not say what they are. Row offsets come
/// from the disk shapes of the parts themselves; the live tensor must be exactly as large as they say, or nothing is placed.
/// </summary>
internal sealed class RulePlanner(
    DiskIndex disk,
    LiveIndex live,
    FamilyRules family,
    ModelConfig? config,
    PlanOptions options,
    PlanDraft draft
)
{
    private readonly ForwardNames names = new(family, live);
    private readonly LiveClaims claims = new();

    /// <summary>Whether anything but an equal name with an equal shape was needed.</summary>
    internal bool UsedRules { get; private set; }

    /// <summary>Why there is no family to go by, or null.</summary>
    internal string? NoFamily { get; init; }

    /// <summary>Whether an equal name with an equal shape places that tensor.</summary>
    internal bool IsPlainCopy(DiskTensor tensor) =>
        live.Find(tensor.Name) is [{ } only] && live.Ranks == 1 && Shapes.Same(only.Shape, tensor.Entry.Shape);

    /// <summary>Places one tensor, leaves it alone with a reason, or says what does not fit.</summary>
    internal void Place(DiskTensor tensor)
    {
        if ((names.Find(tensor.Name) ?? TiedHead(tensor)) is not { } place)
        {
            PlaceNowhere(tensor);
            return;
        }

        foreach (LiveTensor found in place.Found)
        {
            live.Account(found);
        }

        UsedRules |= !IsPlainCopy(tensor);
        if (live.Ranks > 1)
        {
            draft.Refuse(
                "unsupported",
                tensor.Name,
                $"{place.LiveName} is spread over {live.Ranks} ranks; only handles v2 say which rank holds what"
            );
            return;
        }

        LiveTensor only = place.Found[0];
        if (Rectangle(tensor, place, only) is not { } rectangle)
        {
            claims.AllowRest(only);
            return;
        }

        PlannedRegion region = new(only, rectangle, Model.Rectangle.Whole(tensor.Entry.Shape));
        if (draft.Place(tensor, [region], place.Rule))
        {
            ClaimFor(tensor, place, region);
        }
        else
        {
            claims.AllowRest(only);
        }
    }

    /// <summary>Reports live memory that two tensors on disk claim, or that none does.</summary>
    internal void CheckClaims() => claims.Check(draft);

    private void ClaimFor(DiskTensor tensor, LivePlace place, PlannedRegion region)
    {
        if (place.Rule == TiedRule)
        {
            return;
        }

        claims.Add(region.Live, region.LiveRectangle, tensor);
        if (place.Slot == LiveSlot.Vocabulary)
        {
            claims.AllowRest(region.Live);
        }
    }

    private const string TiedRule = "tied head";

    /// <summary>The embedding, for a stored head that vLLM does not keep apart.</summary>
    private LivePlace? TiedHead(DiskTensor tensor) =>
        TensorName.Parse(tensor.Name) is { Module: "lm_head", Parameter: ".weight" }
        && config?.TieWordEmbeddings == true
        && disk.Embedding is { } embedding
        && names.Find(embedding.Name) is { } place
            ? place with
            {
                Rule = TiedRule,
            }
            : null;

    private void PlaceNowhere(DiskTensor tensor)
    {
        if (NotLiveReason(tensor.Name) is { } reason)
        {
            UsedRules = true;
            draft.LeaveAlone(tensor, reason);
            return;
        }

        if (NoFamily is not null)
        {
            draft.Refuse("missing", tensor.Name, $"no live tensor has this name, and {NoFamily}; handles v2 with parts need no rules");
            return;
        }

        LivePlace expected = names.Expected(tensor.Name);
        string what = expected.Slot switch
        {
            LiveSlot.Merged when Parts(tensor, expected) is { } parts =>
                $"rows {parts.Offset}..{parts.Offset + tensor.Entry.Shape[0]} of {expected.LiveName}",
            LiveSlot.Merged => $"rows of {expected.LiveName}",
            LiveSlot.Expert => $"expert {expected.Expert} of {expected.LiveName}",
            _ => expected.LiveName,
        };
        draft.Refuse("missing", tensor.Name, $"expected {what}, not published");
    }

    private string? NotLiveReason(string name)
    {
        if (Families.ComputedByVllm.Any(suffix => name.EndsWith(suffix, StringComparison.Ordinal)))
        {
            return "rotary tables are computed, not loaded";
        }

        if (family.Skipped.FirstOrDefault(prefix => name.StartsWith(prefix, StringComparison.Ordinal)) is { } skipped)
        {
            return $"{skipped}* is skipped by the loader";
        }

        string? tower = family.OptionalTowers.FirstOrDefault(tower =>
            !live.HasTower(tower) && names.Spellings(name).Any(spelling => spelling.StartsWith(tower, StringComparison.Ordinal))
        );
        return tower is null ? null : $"{tower}* is not loaded: nothing live stands there";
    }

    private Rectangle? Rectangle(DiskTensor tensor, LivePlace place, LiveTensor only)
    {
        IReadOnlyList<long> shape = tensor.Entry.Shape;
        switch (place.Slot)
        {
            case LiveSlot.Whole when Shapes.Same(shape, only.Shape):
                return Model.Rectangle.Whole(shape);
            case LiveSlot.Vocabulary when Shapes.SameBelowRows(shape, only.Shape) && shape[0] <= only.Shape[0]:
                return Model.Rectangle.Rows(only.Shape, 0, shape[0]);
            case LiveSlot.Merged:
                return MergedRows(tensor, place, only);
            case LiveSlot.Expert:
                return ExpertRows(tensor, place, only);
            default:
                string rest = only.Elements == 0 ? "; it is empty, so the producer keeps the weights elsewhere" : "";
                draft.Refuse("shape", tensor.Name, $"{Shapes.Text(shape)} on disk, {Shapes.Text(only.Shape)} in {only.Name}{rest}");
                return null;
        }
    }

    private Rectangle? MergedRows(DiskTensor tensor, LivePlace place, LiveTensor only)
    {
        IReadOnlyList<long> shape = tensor.Entry.Shape;
        if (Parts(tensor, place) is not { } parts)
        {
            draft.Refuse(
                "shape",
                tensor.Name,
                $"it is one part of {only.Name}, but the files do not hold all of {string.Join(", ", place.Merge?.Parts ?? [])}"
            );
            return null;
        }

        if (!Shapes.SameBelowRows(shape, only.Shape) || parts.Total != only.Shape[0])
        {
            draft.Refuse(
                "shape",
                tensor.Name,
                $"its parts make {parts.Total} rows of {Shapes.Text(shape)} on disk, {only.Name} is {Shapes.Text(only.Shape)}"
            );
            return null;
        }

        if (HeadProblem(tensor, place) is { } problem)
        {
            draft.Refuse("shape", tensor.Name, problem);
            return null;
        }

        return Model.Rectangle.Rows(only.Shape, parts.Offset, shape[0]);
    }

    private Rectangle? ExpertRows(DiskTensor tensor, LivePlace place, LiveTensor only)
    {
        IReadOnlyList<long> shape = tensor.Entry.Shape;
        bool fits = only.Shape.Count == 3 && Shapes.SameBelowRows(shape, [.. only.Shape.Skip(1)]) && place.Expert < only.Shape[0];
        if (!fits || Parts(tensor, place) is not { } parts || parts.Total != only.Shape[1])
        {
            draft.Refuse(
                "shape",
                tensor.Name,
                $"{Shapes.Text(shape)} on disk does not fit expert {place.Expert} of {only.Name} {Shapes.Text(only.Shape)}"
            );
            return null;
        }

        if (!options.TrustMapping)
        {
            // Some of vLLM's mixture backends swap or repack the halves of w13 and keep its shape, and nothing in the handles tells.
            draft.Refuse(
                "unproven",
                tensor.Name,
                $"how {only.Name} is laid out depends on vLLM's MoE backend, which the handles do not name"
            );
            return null;
        }

        return new Rectangle([place.Expert, parts.Offset, 0], [1, shape[0], shape[1]]);
    }

    /// <summary>First row of the tensor among its siblings on disk, and the rows of all; null when a sibling is not there or unlike.</summary>
    private (long Offset, long Total)? Parts(DiskTensor tensor, LivePlace place)
    {
        TensorName name = TensorName.Parse(tensor.Name);
        IReadOnlyList<string> modules =
            place.Merge?.Parts ?? (name.Module is "gate_proj" or "up_proj" ? ForwardNames.ExpertPair : [name.Module]);
        long offset = 0;
        long total = 0;
        for (int part = 0; part < modules.Count; part++)
        {
            if (
                !disk.TryFind(name.With(modules[part]), out DiskTensor? sibling)
                || !Shapes.SameBelowRows(sibling.Entry.Shape, tensor.Entry.Shape)
            )
            {
                return null;
            }

            offset += part < place.Part ? sibling.Entry.Shape[0] : 0;
            total += sibling.Entry.Shape[0];
        }

        return (offset, total);
    }

    /// <summary>config.json and the files must speak of the same heads.</summary>
    private string? HeadProblem(DiskTensor tensor, LivePlace place)
    {
        TensorName name = TensorName.Parse(tensor.Name);
        if (place.Merge?.Live != "qkv_proj" || !name.Parent.EndsWith(".self_attn.", StringComparison.Ordinal))
        {
            return null;
        }

        long? heads = place.Part == 0 ? config?.AttentionHeads : config?.KeyValueHeads;
        return heads is > 0 && tensor.Entry.Shape[0] % heads != 0
            ? $"{tensor.Entry.Shape[0]} rows cannot be the {heads} heads that config.json says"
            : null;
    }
}
