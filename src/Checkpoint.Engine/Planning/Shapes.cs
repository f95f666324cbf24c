using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>Comparisons and spellings of shapes and rectangles.</summary>
internal static class Shapes
{
    internal static bool Same(IReadOnlyList<long> a, IReadOnlyList<long> b) => a.SequenceEqual(b);

    /// <summary>Same number of dimensions, at least one, and all but the first are equal.</summary>
    internal static bool SameBelowRows(IReadOnlyList<long> a, IReadOnlyList<long> b) =>
        a.Count > 0 && a.Count == b.Count && a.Skip(1).SequenceEqual(b.Skip(1));

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
}
