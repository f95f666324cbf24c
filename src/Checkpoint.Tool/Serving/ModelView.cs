using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>
/// Reads what the service shows of a model: its versions, newest first, and the layout. Takes no lock and writes nothing. Headers of
/// deltas are read once; a delta that cannot be read is left out here, and <c>verify</c> says why.
/// </summary>
internal sealed class ModelView(string modelDirectory)
{
    private readonly Lock gate = new();
    private readonly StatePaths paths = new(Path.GetFullPath(modelDirectory));
    private Dictionary<long, VersionEntry> known = [];
    private ModelDirectory? model;

    /// <summary>Names in the model directory.</summary>
    public StatePaths Paths => paths;

    /// <summary>What state.json says, or null before the first sync.</summary>
    public ModelState? State() => ModelState.TryRead(Disk.Instance, paths.State);

    /// <summary>The versions of the journal, newest first.</summary>
    public IReadOnlyList<VersionEntry> Versions()
    {
        lock (gate)
        {
            long oldest = State()?.Oldest ?? 0;
            Dictionary<long, VersionEntry> found = [];
            foreach (string name in Disk.Instance.Stat(paths.Journal) is null ? [] : Disk.Instance.List(paths.Journal))
            {
                if (StatePaths.VersionOf(name) is { } version && version >= oldest && Entry(version) is { } entry)
                {
                    found[version] = entry;
                }
            }

            known = found;
            return [.. found.Values.OrderByDescending(entry => entry.Header.Version)];
        }
    }

    /// <summary>The model's headers, or null where they cannot be read. A layout never changes, so it is read once.</summary>
    public ModelDirectory? TryOpenModel()
    {
        lock (gate)
        {
            try
            {
                return model ??= ModelDirectory.Open(Disk.Instance, modelDirectory);
            }
            catch (CheckpointException)
            {
                return null;
            }
        }
    }

    private VersionEntry? Entry(long version)
    {
        string path = paths.Delta(version);
        if (Disk.Instance.Stat(path) is not { } file)
        {
            return null;
        }

        if (known.TryGetValue(version, out VersionEntry? entry) && entry.File == file)
        {
            return entry;
        }

        try
        {
            return new VersionEntry(DeltaReader.ReadHeader(Disk.Instance, path), file);
        }
        catch (CheckpointException)
        {
            return null;
        }
    }
}
