namespace ApolloCheckpoint.Engine.Planning;

/// <summary>
/// The tensors on disk whose rows stand together in one live tensor, and which of them is meant. Sizes are their own, from the headers.
/// </summary>
/// <param name="Rows">Rows of each, in the order in which they stand in memory.</param>
/// <param name="Part">Which one is meant, counted from 0.</param>
internal sealed record Siblings(IReadOnlyList<long> Rows, int Part)
{
    /// <summary>The first row of the one that is meant.</summary>
    internal long Offset => Rows.Take(Part).Sum();

    /// <summary>The rows of all.</summary>
    internal long Total => Rows.Sum();

    /// <summary>Looks them up; null when one is not on disk or has other dimensions below its rows.</summary>
    internal static Siblings? Find(DiskIndex disk, DiskTensor tensor, LivePlace place)
    {
        TensorName name = TensorName.Parse(tensor.Name);
        List<long> rows = [];
        foreach (string module in place.Together)
        {
            if (!disk.TryFind(name.With(module), out DiskTensor? sibling) || !Shapes.SameBelowRows(sibling.Entry.Shape, tensor.Entry.Shape))
            {
                return null;
            }

            rows.Add(sibling.Entry.Shape[0]);
        }

        return new Siblings(rows, place.Part);
    }
}
