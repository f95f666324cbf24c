using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>Where a rule says that a tensor on disk is live.</summary>
/// <param name="LiveName">The live tensor.</param>
/// <param name="Found">It, one a rank; empty when it is not published.</param>
/// <param name="Rule">The rule, for the plan table.</param>
/// <param name="Slot">What of it.</param>
internal sealed record LivePlace(string LiveName, IReadOnlyList<LiveTensor> Found, string Rule, LiveSlot Slot)
{
    /// <summary>The modules on disk whose rows stand one after the other there; for a merge and for an expert.</summary>
    internal IReadOnlyList<string> Together { get; init; } = [];

    /// <summary>Which of them it is, counted from 0.</summary>
    internal int Part { get; init; }

    /// <summary>The expert, for <see cref="LiveSlot.Expert"/>.</summary>
    internal long Expert { get; init; }
}
