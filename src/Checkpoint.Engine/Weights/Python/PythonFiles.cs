using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Engine.Weights.Python;

/// <summary>
/// The files that the child opens. Owner and mode are checked here, on open descriptors, and the child opens those very files through
/// /proc, so that nothing can be put in their place in between. Kept open until the child has opened them.
/// </summary>
internal sealed class PythonFiles(FileRules rules) : IDisposable
{
    private readonly Dictionary<string, DiskFile> files = new(StringComparer.Ordinal);

    /// <summary>Opens a file that keeps the rules, once.</summary>
    /// <returns>The file, or null when nothing stands at the path.</returns>
    /// <exception cref="CheckpointException">HandlesUnsafe, SourceUnavailable.</exception>
    internal DiskFile? TryOpen(string path)
    {
        if (!files.TryGetValue(path, out DiskFile? file) && rules.TryOpen(path) is { } opened)
        {
            file = opened;
            files.Add(path, opened);
        }

        return file;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DiskFile file in files.Values)
        {
            file.Dispose();
        }
    }
}
