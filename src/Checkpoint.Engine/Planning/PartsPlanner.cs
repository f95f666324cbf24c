using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Places tensors by the rectangles that the producer's hook published. Copies that nothing computes with are left out, and replicas are
/// for comparison; what remains must tile each tensor exactly, and be proven.
/// </summary>
internal sealed class PartsPlanner
{
    private readonly Dictionary<string, List<(LiveTensor Live, LivePart Part)>> byDiskName = new(StringComparer.Ordinal);

    internal PartsPlanner(LiveIndex live)
    {
        foreach (LiveTensor tensor in live.All)
        {
            foreach (LivePart part in tensor.Parts ?? [])
            {
                live.Account(tensor);
                if (!byDiskName.TryGetValue(part.DiskName, out List<(LiveTensor, LivePart)>? parts))
                {
                    byDiskName[part.DiskName] = parts = [];
                }

                parts.Add((tensor, part));
            }
        }
    }

    /// <summary>Whether the hook says anything at all.</summary>
    internal bool Any => byDiskName.Count > 0;

    /// <summary>Whether the hook says anything of that tensor.</summary>
    internal bool Knows(string diskName) => byDiskName.ContainsKey(diskName);

    /// <summary>Places a tensor that the hook knows.</summary>
    internal void Place(DiskTensor disk, PlanOptions options, PlanDraft draft)
    {
        List<(LiveTensor Live, LivePart Part)> parts = byDiskName[disk.Name];
        List<(LiveTensor Live, LivePart Part)> read =
        [
            // Two names of the same memory say the same thing twice.
            .. parts
                .Where(row => row.Part is { Unused: false, IsReplica: false, Live.Elements: > 0 })
                .DistinctBy(row => ((object?)row.Live.StorageKey ?? row.Live, row.Part.Live, row.Part.File)),
        ];
        if (read.Count == 0)
        {
            draft.Refuse(
                "uncovered",
                disk.Name,
                $"the handles name {parts.Count} copies of it, but none that may be read (all unused, replica or empty)"
            );
            return;
        }

        List<(LiveTensor Live, LivePart Part)> copies =
        [
            .. parts.Where(row =>
                row.Part is { Unused: false, IsReplica: true, Live.Elements: > 0 } && !read.Exists(first => Same(first, row))
            ),
        ];
        foreach ((LiveTensor live, LivePart part) in read.Concat(copies))
        {
            if (part.Proof is not ("full" or "sample") && !options.TrustMapping)
            {
                string where = Shapes.Text(part.Live, live.Shape);
                draft.Refuse(
                    "unproven",
                    disk.Name,
                    $"the hook did not compare {live.Name} ({where}) with the file after loading (proof \"{part.Proof}\")"
                );
                return;
            }
        }

        draft.Place(disk, Regions(read), "handles", Regions(copies));
    }

    private static List<PlannedRegion> Regions(List<(LiveTensor Live, LivePart Part)> rows) =>
        [.. rows.Select(row => new PlannedRegion(row.Live, row.Part.Live, row.Part.File))];

    /// <summary>Whether two parts are the same memory: a second name is no second copy.</summary>
    private static bool Same((LiveTensor Live, LivePart Part) a, (LiveTensor Live, LivePart Part) b) =>
        a.Live.StorageKey is { } key && key == b.Live.StorageKey && a.Part.Live.Equals(b.Part.Live) && a.Part.File.Equals(b.Part.File);

    /// <summary>Parts of tensors that are not on disk: the handles belong to another model.</summary>
    internal void RefuseUnknown(Func<string, bool> isOnDisk, PlanDraft draft)
    {
        foreach ((string name, List<(LiveTensor Live, LivePart Part)> parts) in byDiskName)
        {
            if (!isOnDisk(name))
            {
                (LiveTensor live, LivePart part) = parts[0];
                draft.Refuse(
                    "surplus",
                    live.Name,
                    $"the handles say that it ({Shapes.Text(part.Live, live.Shape)}) is {name}, which is not on disk"
                );
            }
        }
    }
}
