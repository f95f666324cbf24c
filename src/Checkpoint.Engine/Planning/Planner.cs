using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Decides, before anything is read or written, which rectangle of which live tensor belongs to which tensor on disk. Pure: the same
/// arguments give the same plan. Three ways, in this order: the rectangles that the producer's hook published; equal names; the rules
/// of the model's family, taken forward from each name on disk. Everything that does not fit is collected, nothing is skipped: each
/// tensor on disk ends in exactly one of the plan's lists (invariant 6), and each live parameter is accounted for.
/// </summary>
public static class Planner
{
    /// <summary>Plans a sync.</summary>
    /// <param name="model">The model directory, headers read.</param>
    /// <param name="config">Its config.json, or null when it has none: then only equal names and published rectangles count.</param>
    /// <param name="live">All live tensors of all ranks.</param>
    /// <param name="declaredNotLive">Tensors on disk that the producer says have no live counterpart: name and reason.</param>
    /// <param name="options">What may be believed.</param>
    public static SyncPlan Plan(
        ModelDirectory model,
        ModelConfig? config,
        IReadOnlyList<LiveTensor> live,
        IReadOnlyDictionary<string, string> declaredNotLive,
        PlanOptions options
    ) => Plan(model.Layout, config, live, declaredNotLive, options);

    /// <summary>Plans a sync of shards that stand in no directory; otherwise as above.</summary>
    internal static SyncPlan Plan(
        ModelLayout layout,
        ModelConfig? config,
        IReadOnlyList<LiveTensor> live,
        IReadOnlyDictionary<string, string> declaredNotLive,
        PlanOptions options
    )
    {
        PlanDraft draft = new();
        DiskIndex disk = new(layout, draft);
        LiveIndex index = new(live);
        PartsPlanner parts = new(index);
        FamilyRules? family = Families.Find(config?.Architectures ?? []);
        RulePlanner rules = new(disk, index, family ?? Families.None, config, options, draft) { NoFamily = WhyNoFamily(config, family) };

        List<DiskTensor> byRule = [];
        foreach (DiskTensor tensor in disk.All)
        {
            if (parts.Knows(tensor.Name))
            {
                parts.Place(tensor, options, draft);
            }
            else if (declaredNotLive.TryGetValue(tensor.Name, out string? reason))
            {
                draft.LeaveAlone(tensor, reason);
            }
            else if (tensor.Entry.Elements == 0)
            {
                draft.LeaveAlone(tensor, "it has no elements");
                index.Find(tensor.Name).ToList().ForEach(index.Account);
            }
            else
            {
                byRule.Add(tensor);
            }
        }

        parts.RefuseUnknown(name => disk.TryFind(name, out _), draft);
        if (PlaceByRule(byRule, rules, config, draft))
        {
            rules.CheckClaims();
            Surplus.Report(index, disk, config, draft);
        }

        return Finish(draft, layout, parts.Any, byRule.Count > 0 ? (rules.UsedRules ? (family ?? Families.None).Name : "names 1:1") : null);
    }

    /// <returns>False when the model as a whole was refused: then nothing can be said of what is left over.</returns>
    private static bool PlaceByRule(List<DiskTensor> tensors, RulePlanner rules, ModelConfig? config, PlanDraft draft)
    {
        if (config?.Quantization is { } quantization && !tensors.TrueForAll(rules.IsPlainCopy))
        {
            foreach (DiskTensor tensor in tensors)
            {
                draft.Refuse(
                    "unsupported",
                    tensor.Name,
                    $"the model is quantised ({quantization}), and vLLM repacks such weights after loading"
                );
            }

            return false;
        }

        tensors.ForEach(rules.Place);
        return true;
    }

    private static string? WhyNoFamily(ModelConfig? config, FamilyRules? family) =>
        family is not null ? null
        : config is null ? "there is no config.json to say whose rules apply"
        : config.Architectures.Count == 0 ? "config.json names no architecture"
        : $"there are no rules for {config.Architectures[0]}";

    /// <summary>Brings the lists into the order of the files: parts and rules were worked through one after the other.</summary>
    private static SyncPlan Finish(PlanDraft draft, ModelLayout layout, bool usedParts, string? ruleName)
    {
        Dictionary<TensorEntry, int> order = new(ReferenceEqualityComparer.Instance);
        foreach (TensorEntry entry in layout.Shards.SelectMany(shard => shard.Header.Tensors))
        {
            order[entry] = order.Count;
        }

        string?[] ways = [usedParts ? "handles v2" : null, ruleName];
        string family = string.Join(" + ", ways.Where(way => way is not null));
        return new SyncPlan(
            [.. draft.Tensors.OrderBy(tensor => order[tensor.Entry])],
            [.. draft.NotLive.OrderBy(tensor => order[tensor.Entry])],
            draft.Mismatches,
            family.Length > 0 ? family : "nothing on disk"
        );
    }
}
