using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Planning;

namespace ApolloCheckpoint.Engine;

/// <summary>The error for a plan that does not hold: how many tensors, the first of them, and the two ways on.</summary>
internal static class PlanRefusal
{
    private const int Shown = 3;

    internal static CheckpointException Of(SyncPlan plan, ModelDirectory model)
    {
        int onDisk = model.Layout.Shards.Sum(shard => shard.Header.Tensors.Count);
        int missing = plan.Mismatches.Count(mismatch => mismatch.Kind == "missing");
        string what =
            missing == plan.Mismatches.Count
                ? $"{missing:N0} of {onDisk:N0} tensors on disk {(missing == 1 ? "has" : "have")} no live counterpart"
                : $"{plan.Mismatches.Count:N0} {(plan.Mismatches.Count == 1 ? "tensor does" : "tensors do")} not fit, of {onDisk:N0} on disk";
        List<(string, string)> details = [.. plan.Mismatches.Take(Shown).Select(one => (one.Kind, $"{one.Tensor}   {one.Text}"))];
        if (plan.Mismatches.Count > Shown)
        {
            details.Add(("…", $"{plan.Mismatches.Count - Shown:N0} more: apollo-checkpoint plan --mismatches"));
        }

        return new CheckpointException(
            CheckpointError.PlanMismatch,
            what,
            "was vLLM started with --load-format apollo? To sync the rest anyway: --allow-partial"
        )
        {
            Details = details,
        };
    }
}
