using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>Comparisons and spellings of shapes and rectangles.</summary>
internal static class Shapes
{
    internal static bool Same(IReadOnlyList<long> a, IReadOnlyList<long> b) => a.Count == b.Count && SameFrom(0, a, b);

    /// <summary>
    /// Whether a whole live tensor is a whole tensor on disk, element by element: equal shapes, or the live one lies flat, in one
    /// dimension, as torch.from_file gives it and trainers that keep one flat buffer do. The shape on disk is a header's, whose product
    /// was checked.
    /// </summary>
    internal static bool SameWhole(IReadOnlyList<long> live, IReadOnlyList<long> disk) =>
        Same(live, disk) || (live is [var elements] && elements == disk.Aggregate(1L, (product, size) => checked(product * size)));

    /// <summary>Same number of dimensions, at least one, and all but the first are equal.</summary>
    internal static bool SameBelowRows(IReadOnlyList<long> a, IReadOnlyList<long> b) =>
        a.Count > 0 && a.Count == b.Count && SameFrom(1, a, b);

    /// <summary>
    /// Whether two rectangles hold as many elements in the same order: equal lengths once dimensions of length 1 are left out.
    /// </summary>
    internal static bool SameOrder(Rectangle a, Rectangle b) =>
        a.Length.Where(length => length != 1).SequenceEqual(b.Length.Where(length => length != 1));

    /// <summary>For example "[256, 64]".</summary>
    internal static string Text(IReadOnlyList<long> shape) => $"[{string.Join(", ", shape)}]";

    /// <summary>For example "BF16 [256, 64]".</summary>
    internal static string Text(ElementType type, IReadOnlyList<long> shape) => $"{type.Name()} {Text(shape)}";

    /// <summary>The rectangle as people say it: "whole", "rows 0..256", or all dimensions.</summary>
    internal static string Text(Rectangle rectangle, IReadOnlyList<long> shape)
    {
        if (Same(rectangle.Length, shape))
        {
            return "whole";
        }

        return SameBelowRows(rectangle.Length, shape)
            ? $"rows {rectangle.Start[0]}..{rectangle.Start[0] + rectangle.Length[0]}"
            : rectangle.ToString();
    }

    // A loop, because this runs several times a tensor and enumerators would be most of the planner's garbage.
    private static bool SameFrom(int first, IReadOnlyList<long> a, IReadOnlyList<long> b)
    {
        for (int i = first; i < a.Count; i++)
        {
            if (a[i] != b[i])
            {
                return false;
            }
        }

        return true;
    }
}
