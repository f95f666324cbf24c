using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// A plan while it is made. Whoever finds a place brings it here, and here it is checked, the same way for every way of finding it
/// (invariants 6 and 11): rectangles inside both tensors and alike, one live type that converts, each element of the tensor once.
/// </summary>
internal sealed class PlanDraft
{
    internal List<PlannedTensor> Tensors { get; } = [];

    internal List<NotLiveTensor> NotLive { get; } = [];

    internal List<PlanMismatch> Mismatches { get; } = [];

    internal void Refuse(string kind, string tensor, string text) => Mismatches.Add(new PlanMismatch(kind, tensor, text));

    internal void LeaveAlone(DiskTensor disk, string reason) => NotLive.Add(new NotLiveTensor(disk.Shard, disk.Entry, reason));

    /// <summary>Takes the regions of a tensor, or says what is wrong with them; one mismatch at most.</summary>
    /// <param name="disk">The tensor on disk.</param>
    /// <param name="regions">Where it comes from.</param>
    /// <param name="rule">What found them.</param>
    /// <param name="copies">Further regions, each the same rectangle on disk as one of <paramref name="regions"/>.</param>
    /// <returns>Whether they were taken.</returns>
    internal bool Place(DiskTensor disk, IReadOnlyList<PlannedRegion> regions, string rule, IReadOnlyList<PlannedRegion>? copies = null)
    {
        if (Problem(disk.Entry, regions) is { } problem)
        {
            Refuse(problem.Kind, disk.Name, problem.Text);
            return false;
        }

        IReadOnlyList<IReadOnlyList<PlannedRegion>>? tilings = Tilings(disk, regions, copies ?? []);
        if (tilings is null)
        {
            return false;
        }

        Tensors.Add(new PlannedTensor(disk.Shard, disk.Entry, regions, regions[0].Live.Type, rule) { Copies = tilings });
        return true;
    }

    /// <summary>The tensor once more for the first copy of each region, again for the second, ...; null when a copy does not fit.</summary>
    private List<IReadOnlyList<PlannedRegion>>? Tilings(
        DiskTensor disk,
        IReadOnlyList<PlannedRegion> regions,
        IReadOnlyList<PlannedRegion> copies
    )
    {
        ILookup<Rectangle, PlannedRegion> byPlace = copies.ToLookup(copy => copy.FileRectangle);
        HashSet<Rectangle> places = [.. regions.Select(region => region.FileRectangle)];
        foreach (PlannedRegion copy in copies)
        {
            (string Kind, string Text)? problem = places.Contains(copy.FileRectangle)
                ? RegionProblem(disk.Entry, copy, regions[0].Live)
                : ("replica", $"{copy.Live.Name} of rank {copy.Live.Rank} copies {copy.FileRectangle} of it, which no other rank holds");
            if (problem is { } wrong)
            {
                Refuse(wrong.Kind, disk.Name, wrong.Text);
                return null;
            }
        }

        int most = byPlace.Select(group => group.Count()).DefaultIfEmpty().Max();
        return
        [
            .. Enumerable
                .Range(0, most)
                .Select(k =>
                    (IReadOnlyList<PlannedRegion>)
                        [.. regions.Select(region => byPlace[region.FileRectangle].ElementAtOrDefault(k) ?? region)]
                ),
        ];
    }

    private static (string Kind, string Text)? Problem(TensorEntry entry, IReadOnlyList<PlannedRegion> regions)
    {
        foreach (PlannedRegion region in regions)
        {
            if (RegionProblem(entry, region, regions[0].Live) is { } problem)
            {
                return problem;
            }
        }

        List<Rectangle> pieces = [.. regions.Select(region => region.FileRectangle)];
        if (Tiling.FirstOverlap(pieces) is { } overlap)
        {
            return (
                "overlap",
                $"{overlap.First} and {overlap.Second} of it are both claimed by live tensors; each element must come from one"
            );
        }

        decimal covered = Tiling.Elements(pieces);
        return covered == entry.Elements
            ? null
            : ("uncovered", $"live tensors hold {covered} of its {entry.Elements} elements, shape {Shapes.Text(entry.Shape)}");
    }

    private static (string Kind, string Text)? RegionProblem(TensorEntry entry, PlannedRegion region, LiveTensor first)
    {
        LiveTensor live = region.Live;
        if (live.Unsupported is { } reason)
        {
            return ("unsupported", $"{live.Name}: {reason}");
        }

        if (!region.LiveRectangle.FitsIn(live.Shape) || !region.FileRectangle.FitsIn(entry.Shape))
        {
            return (
                "shape",
                $"{region.LiveRectangle} of {live.Name} {Shapes.Text(live.Shape)} goes to {region.FileRectangle} of {Shapes.Text(entry.Shape)}: outside"
            );
        }

        bool whole = Shapes.Same(region.LiveRectangle.Length, live.Shape) && Shapes.Same(region.FileRectangle.Length, entry.Shape);
        if (!Shapes.SameOrder(region.LiveRectangle, region.FileRectangle) && !(whole && Shapes.SameWhole(live.Shape, entry.Shape)))
        {
            return (
                "shape",
                $"{region.LiveRectangle} of {live.Name} and {region.FileRectangle} on disk are not the same elements in the same order"
            );
        }

        if (live.Type != first.Type)
        {
            return (
                "dtype",
                $"comes from {first.Name} as {first.Type.Name()} and from {live.Name} as {live.Type.Name()}; one type was expected"
            );
        }

        if (!ElementTypes.CanConvert(live.Type, entry.Type))
        {
            return (
                "dtype",
                $"{entry.Type.Name()} on disk, {live.Type.Name()} in {live.Name}: they cannot be converted without loss both ways"
            );
        }

        // Elements packed below a byte have no address of their own, so that only a whole tensor can be moved.
        return entry.Type.Bits() < 8 && !whole
            ? (
                "unsupported",
                $"{entry.Type.Name()} elements are packed; only a whole tensor can be taken, not {region.LiveRectangle} of {live.Name}"
            )
            : null;
    }
}
