using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// The parts of the class code that look at every element, in a scalar and a vector form that give the same results.
/// Encoding calls <see cref="Scan"/>, <see cref="Ranks"/>, then <see cref="Fill"/> per class; decoding <see cref="Prepare"/>,
/// <see cref="Positions"/>, <see cref="Apply"/>. What is found stands in the <see cref="WorkArrays"/>.
/// </summary>
internal interface IClassPath
{
    /// <summary>
    /// Finds all changes: crossers into <see cref="WorkArrays.Crossers"/>, the others by class into
    /// <see cref="WorkArrays.ClassChanges"/>, <see cref="WorkArrays.FirstStep"/> and <see cref="WorkArrays.SortedSteps{T}"/> (zigzag).
    /// </summary>
    /// <returns>How many crossers and others; null as soon as more than a quarter of the elements cross.</returns>
    (int Crossers, int Others)? Scan<T>(FloatShape shape, ReadOnlySpan<T> before, ReadOnlySpan<T> after)
        where T : unmanaged, IBinaryInteger<T>;

    /// <summary>
    /// Numbers elements among those of class ≤ <paramref name="top"/> that are not in <see cref="WorkArrays.Crossing"/>.
    /// </summary>
    /// <param name="shape">Shape of the elements.</param>
    /// <param name="elements">The elements that were scanned.</param>
    /// <param name="top">The class.</param>
    /// <param name="positions">Such elements, ascending.</param>
    /// <param name="ranks">Receives their numbers.</param>
    void Ranks<T>(FloatShape shape, ReadOnlySpan<T> elements, int top, ReadOnlySpan<int> positions, Span<uint> ranks)
        where T : unmanaged, IBinaryInteger<T>;

    /// <summary>
    /// Puts one flag an element of a class, changed or not, into <see cref="WorkArrays.Strings"/>; crossers have none.
    /// </summary>
    /// <returns>How many elements.</returns>
    int Fill(int elementClass);

    /// <summary>Looks at the elements before anything in them changes.</summary>
    void Prepare<T>(FloatShape shape, ReadOnlySpan<T> elements)
        where T : unmanaged, IBinaryInteger<T>;

    /// <summary>The reverse of <see cref="Ranks"/>, in place.</summary>
    /// <exception cref="CheckpointException">JournalDamaged: there are not that many.</exception>
    void Positions<T>(FloatShape shape, ReadOnlySpan<T> elements, int top, Span<int> ranksToPositions)
        where T : unmanaged, IBinaryInteger<T>;

    /// <summary>Applies the steps of all classes to elements that are not in <see cref="WorkArrays.Crossing"/>.</summary>
    /// <exception cref="CheckpointException">JournalDamaged: a class has not the elements that its string says.</exception>
    void Apply<T>(FloatShape shape, Span<T> elements, ReadOnlySpan<UnpackedClass> classes, bool backward)
        where T : unmanaged, IBinaryInteger<T>;
}
