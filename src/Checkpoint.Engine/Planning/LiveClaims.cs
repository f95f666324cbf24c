using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Which rectangles of a live tensor the rules gave to which tensors on disk. No live element may go to two of them, a tied head
/// excepted, and none may stay behind, padding excepted: otherwise a rule was applied to something it does not describe.
/// </summary>
internal sealed class LiveClaims
{
    private readonly Dictionary<LiveTensor, List<(DiskTensor Disk, Rectangle Rectangle)>> byLive = new(ReferenceEqualityComparer.Instance);

    // Padded, or already reported: nothing is said of what is left over.
    private readonly HashSet<LiveTensor> mayHaveRest = new(ReferenceEqualityComparer.Instance);

    internal void Add(LiveTensor live, Rectangle rectangle, DiskTensor disk)
    {
        if (!byLive.TryGetValue(live, out List<(DiskTensor, Rectangle)>? claims))
        {
            byLive[live] = claims = [];
        }

        claims.Add((disk, rectangle));
    }

    internal void AllowRest(LiveTensor live) => mayHaveRest.Add(live);

    /// <summary>Reports what is claimed twice or not at all.</summary>
    internal void Check(PlanDraft draft)
    {
        foreach ((LiveTensor live, List<(DiskTensor Disk, Rectangle Rectangle)> claims) in byLive)
        {
            List<Rectangle> rectangles = [.. claims.Select(claim => claim.Rectangle)];
            if (Tiling.FirstOverlap(rectangles) is { } overlap)
            {
                ReportOverlap(live, claims, overlap, draft);
                continue;
            }

            decimal taken = Tiling.Elements(rectangles);
            if (taken < live.Elements && !mayHaveRest.Contains(live))
            {
                draft.Refuse(
                    "uncovered",
                    live.Name,
                    $"{live.Elements - taken} of its {live.Elements} elements, shape {Shapes.Text(live.Shape)}, belong to nothing on disk"
                );
            }
        }
    }

    private static void ReportOverlap(
        LiveTensor live,
        List<(DiskTensor Disk, Rectangle Rectangle)> claims,
        (Rectangle First, Rectangle Second) overlap,
        PlanDraft draft
    )
    {
        DiskTensor first = claims.Find(claim => ReferenceEquals(claim.Rectangle, overlap.First)).Disk;
        DiskTensor second = claims.Find(claim => ReferenceEquals(claim.Rectangle, overlap.Second)).Disk;
        draft.Refuse("overlap", second.Name, $"{Shapes.Text(overlap.Second, live.Shape)} of {live.Name} is already taken by {first.Name}");
    }
}
