namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>
/// Places whose flush nothing can notice in any scenario: skipping it changes no image that matters. Each with its reason, so that none
/// is forgotten silently.
/// </summary>
internal static class IdleFlushes
{
    private const string Again = "recovery flushes the same folder again before it believes a name in it";
    private const string Leftover = "what comes back is known to be over, and is deleted again by the next command";

    private static readonly Dictionary<string, string> Reasons = new(StringComparer.Ordinal)
    {
        ["FlushFolder .apollo/journal, after CreateFolder .apollo/redo"] = Again,
        ["FlushFolder .apollo/journal, after Create .apollo/lock"] = "a history that begins has an empty journal",
        ["FlushFolder .apollo/journal, after FlushFolder .apollo"] = Again,
        ["FlushFolder .apollo/journal, after CreateFolder .apollo/journal"] = "the new journal of an adopt is empty",
        ["FlushFolder .apollo/journal, after Delete .apollo/journal/N.delta"] = Leftover,
        ["FlushFolder .apollo/redo, after Delete .apollo/redo/SHARD.redo"] = Leftover,
        ["FlushFolder /, after CreateFolder /copy.restoring"] = "the flush after the rename settles it; before that there is no copy",
        ["FlushFolder /copy, after Delete /copy/.apollo-restoring"] = "the mark in a whole copy means nothing",
    };

    internal static IEnumerable<string> Sites => Reasons.Keys;

    internal static string? Reason(string site) => Reasons.GetValueOrDefault(site);
}
