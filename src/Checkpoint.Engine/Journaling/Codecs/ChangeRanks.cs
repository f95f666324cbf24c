namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// The number of each change among the elements of its class. Only the scalar path needs it, and real deltas have few changes, so the
/// arrays grow on demand.
/// </summary>
internal sealed class ChangeRanks
{
    private int[] ranks = [];
    private int[] sorted = [];

    /// <summary>Notes the number of a change.</summary>
    /// <param name="index">Which change it is, in the order of the elements.</param>
    /// <param name="rank">The number.</param>
    public void Add(int index, int rank)
    {
        if (index == ranks.Length)
        {
            Array.Resize(ref ranks, Math.Max(4096, index * 2));
        }

        ranks[index] = rank;
    }

    /// <summary>Brings the numbers into the order of the classes, as <see cref="StepSort"/> brings the steps.</summary>
    public void SortByClass(WorkArrays arrays, int count)
    {
        if (sorted.Length < count)
        {
            sorted = new int[ranks.Length];
        }

        Span<int> next = stackalloc int[WorkArrays.ClassCount];
        arrays.FirstStep.AsSpan().CopyTo(next);
        for (int index = 0; index < count; index++)
        {
            sorted[next[arrays.ChangeClasses[index]]++] = ranks[index];
        }
    }

    /// <summary>The numbers of one class's changes, ascending.</summary>
    public ReadOnlySpan<int> Of(WorkArrays arrays, int elementClass) =>
        sorted.AsSpan(arrays.FirstStep[elementClass], arrays.ClassChanges[elementClass]);
}
