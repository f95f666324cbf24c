namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>
/// A change of names that no flush has made durable yet: a new name, a name gone, or a rename, which is both in one step.
/// A crash may keep or lose each, but never keeps one that stands on a lost one (an earlier change of the same name).
/// </summary>
/// <param name="Removed">Folder and name that goes, or null.</param>
/// <param name="Added">Folder, name and what it then means, or null.</param>
internal sealed record NameChange((CrashNode Folder, string Name)? Removed, (CrashNode Folder, string Name, CrashNode Node)? Added)
{
    /// <summary>Folders whose flush is still missing.</summary>
    internal HashSet<CrashNode> Unflushed { get; } = [.. new[] { Removed?.Folder, Added?.Folder }.OfType<CrashNode>()];

    internal bool StandsOn(NameChange earlier) => Keys().Intersect(earlier.Keys()).Any();

    internal void Apply(Func<CrashNode, Dictionary<string, CrashNode>> namesOf)
    {
        if (Removed is { } removed)
        {
            namesOf(removed.Folder).Remove(removed.Name);
        }

        if (Added is { } added)
        {
            namesOf(added.Folder)[added.Name] = added.Node;
        }
    }

    private IEnumerable<(CrashNode, string)> Keys()
    {
        if (Removed is { } removed)
        {
            yield return removed;
        }

        if (Added is { } added)
        {
            yield return (added.Folder, added.Name);
        }
    }
}
