using ApolloCheckpoint.Engine.Journaling.Folding;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary>What a fold did, for the command line and the service.</summary>
/// <param name="Headline">The answer, one line.</param>
/// <param name="Before">The version that the files held before.</param>
/// <param name="Newest">The newest version.</param>
/// <param name="Report">What the engine did.</param>
/// <param name="Recovered">What recovery did before, a sentence each.</param>
/// <param name="Warnings">What the user should know, a sentence each.</param>
internal sealed record FoldResult(
    string Headline,
    long Before,
    long Newest,
    FoldReport Report,
    IReadOnlyList<string> Recovered,
    IReadOnlyList<string> Warnings
);
