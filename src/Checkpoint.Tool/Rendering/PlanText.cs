using ApolloCheckpoint.Engine.Planning;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>A plan for people: one row a region, the live parameter named once, the summary last.</summary>
internal static class PlanText
{
    /// <summary>Writes the plan, or only what does not fit.</summary>
    public static void Write(TextWriter writer, PlanDescription plan, bool mismatchesOnly, bool colour)
    {
        Paint paint = new(colour);
        if (!mismatchesOnly && plan.Rows.Count > 0)
        {
            Rows(plan).WriteTo(writer, paint);
        }

        foreach (PlanMismatch mismatch in plan.Mismatches)
        {
            writer.WriteLine($" {paint.Bad(mismatch.Kind.PadRight(11))}  {mismatch.Tensor}   {mismatch.Text}");
        }

        writer.WriteLine(Summary(plan));
    }

    /// <summary>The numbers in one sentence.</summary>
    internal static string Summary(PlanDescription plan)
    {
        string share = Quantity.Percent(plan.MappedBytes, plan.TotalBytes);
        string mapped = $"{Quantity.Count(plan.MappedTensors)} of {Quantity.Count(plan.TotalTensors, "tensor")} mapped ({share} of bytes)";
        string reasons = string.Join(", ", plan.NotLiveReasons.Select(reason => reason.Reason));
        string notLive = plan.NotLive.Count == 0 ? "" : $", {Quantity.Count(plan.NotLive.Count)} not live ({reasons})";
        string mismatches = plan.Mismatches.Count == 1 ? "1 mismatch" : $"{Quantity.Count(plan.Mismatches.Count)} mismatches";
        return $"{mapped}{notLive}, {mismatches}; rules: {plan.Family}. No weights were read, nothing was written.";
    }

    private static Table Rows(PlanDescription plan)
    {
        Table table = new(5);
        table.Add("live parameter", "", "tensor on disk", "rule", "rows", "size");
        string previous = "";
        foreach (PlanRow row in plan.Rows)
        {
            string name = row.Rank == 0 ? row.Live : $"{row.Live} (rank {row.Rank})";
            string types = row.LiveType == row.DiskType ? "" : $" ({row.LiveType} → {row.DiskType})";
            table.Add(name == previous ? "" : name, "→", row.Disk + types, row.Rule, row.Rows, Quantity.Size(row.Bytes));
            previous = name;
        }

        return table;
    }
}
