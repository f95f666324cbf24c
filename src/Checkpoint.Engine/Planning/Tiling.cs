using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// Whether rectangles tile a tensor exactly. Inside the tensor, without overlap, and with as many elements in all as the tensor has:
/// together that is "each element once".
/// </summary>
internal static class Tiling
{
    /// <summary>Elements of all rectangles together; exact, for as many of any size as memory holds.</summary>
    internal static decimal Elements(IEnumerable<Rectangle> rectangles) => rectangles.Sum(rectangle => (decimal)rectangle.Elements);

    /// <summary>The first two rectangles that share an element, or null. All have the same number of dimensions.</summary>
    /// <remarks>
    /// A sweep along the dimension that separates most: the pieces of real layouts (rows, columns, experts) never stand side by side
    /// there, so that it is a sort and one pass. It ends at the first overlap, which keeps hostile lists cheap too.
    /// </remarks>
    internal static (Rectangle First, Rectangle Second)? FirstOverlap(IReadOnlyList<Rectangle> rectangles)
    {
        if (rectangles.Count < 2)
        {
            return null;
        }

        if (rectangles[0].Start.Count == 0)
        {
            return (rectangles[0], rectangles[1]);
        }

        int axis = SeparatingAxis(rectangles);
        List<Rectangle> open = [];
        foreach (Rectangle next in rectangles.Where(rectangle => rectangle.Elements > 0).OrderBy(rectangle => rectangle.Start[axis]))
        {
            open.RemoveAll(before => before.Start[axis] + before.Length[axis] <= next.Start[axis]);
            foreach (Rectangle before in open)
            {
                if (Overlap(before, next))
                {
                    return (before, next);
                }
            }

            open.Add(next);
        }

        return null;
    }

    private static int SeparatingAxis(IReadOnlyList<Rectangle> rectangles)
    {
        int dimensions = rectangles[0].Start.Count;
        return Enumerable.Range(0, dimensions).MaxBy(axis => rectangles.Select(rectangle => rectangle.Start[axis]).Distinct().Count());
    }

    private static bool Overlap(Rectangle a, Rectangle b)
    {
        for (int i = 0; i < a.Start.Count; i++)
        {
            if (a.Start[i] >= b.Start[i] + b.Length[i] || b.Start[i] >= a.Start[i] + a.Length[i])
            {
                return false;
            }
        }

        return true;
    }
}
