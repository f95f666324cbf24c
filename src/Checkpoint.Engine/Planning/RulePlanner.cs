using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Places tensors by equal names and by the rules of a family, for producers whose handles do not say what they are: finds the live
/// name, has the rectangles worked out, and accounts for what was found. A name without place is left alone with a reason or missing.
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
    private const string TiedRule = "tied head";

    private readonly ForwardNames names = new(family, live);
    private readonly LiveClaims claims = new();
    private readonly SinglePlacement single = new(disk, config, options, draft);
    private readonly RankPlacement? several = live.Ranks > 1 ? new(disk, live, family, config, draft) : null;

    /// <summary>Whether anything but an equal name with the same elements was needed.</summary>
    internal bool UsedRules { get; private set; }

    /// <summary>Why there is no family to go by, or null.</summary>
    internal string? NoFamily { get; init; }

    /// <summary>Whether an equal name with the same elements places that tensor.</summary>
    internal bool IsPlainCopy(DiskTensor tensor) =>
        live.Find(tensor.Name) is [{ } only] && live.Ranks == 1 && Shapes.SameWhole(only.Shape, tensor.Entry.Shape);

    /// <summary>Places one tensor, leaves it alone with a reason, or says what does not fit.</summary>
    internal void Place(DiskTensor tensor)
    {
        UsedRules |= !IsPlainCopy(tensor);
        if ((names.Find(tensor.Name) ?? TiedHead(tensor)) is not { } place)
        {
            PlaceNowhere(tensor);
            return;
        }

        foreach (LiveTensor found in place.Found)
        {
            live.Account(found);
        }

        IReadOnlyList<PlannedRegion>? regions =
            several is not null ? several.Regions(tensor, place)
            : single.Region(tensor, place) is { } region ? [region]
            : null;
        bool placed = regions is not null && draft.Place(tensor, regions, place.Rule);
        Claim(tensor, place, placed ? regions ?? [] : []);
    }

    /// <summary>Reports live memory that two tensors on disk claim, or that none does.</summary>
    internal void CheckClaims() => claims.Check(draft);

    private void Claim(DiskTensor tensor, LivePlace place, IReadOnlyList<PlannedRegion> regions)
    {
        // The head is the embedding: it may take the same rows.
        foreach (PlannedRegion region in place.Rule == TiedRule ? [] : regions)
        {
            claims.Add(region.Live, region.LiveRectangle, tensor);
        }

        // Padding, copies on other ranks, and what belongs to a part that was refused stay behind.
        if (place.Slot == LiveSlot.Vocabulary || several is not null || regions.Count == 0)
        {
            foreach (LiveTensor found in place.Found)
            {
                claims.AllowRest(found);
            }
        }
    }

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
            draft.LeaveAlone(tensor, reason);
        }
        else if (NoFamily is not null)
        {
            draft.Refuse("missing", tensor.Name, $"no live tensor has this name, and {NoFamily}; handles v2 with parts need no rules");
        }
        else
        {
            draft.Refuse("missing", tensor.Name, $"expected {ExpectedText(tensor, names.Expected(tensor.Name))}, not published");
        }
    }

    private string ExpectedText(DiskTensor tensor, LivePlace expected) =>
        expected.Slot switch
        {
            LiveSlot.Merged when Siblings.Find(disk, tensor, expected) is { } siblings =>
                $"rows {siblings.Offset}..{siblings.Offset + siblings.Rows[siblings.Part]} of {expected.LiveName}",
            LiveSlot.Merged => $"rows of {expected.LiveName}",
            LiveSlot.Expert => $"expert {expected.Expert} of {expected.LiveName}",
            _ => expected.LiveName,
        };

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
}
