using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Model;

/// <summary>
/// A Hugging Face model directory: its shards, their headers read and validated. Which files are shards is said by
/// <c>model.safetensors.index.json</c>, or else there is exactly one file, <c>model.safetensors</c>.
/// </summary>
public sealed class ModelDirectory
{
    /// <summary>Name of the index.</summary>
    public const string IndexName = "model.safetensors.index.json";

    /// <summary>Name of the only file of a model without index.</summary>
    public const string SingleName = "model.safetensors";

    private ModelDirectory(string path, IReadOnlyList<Shard> shards)
    {
        Path = path;
        Layout = new ModelLayout(shards);
    }

    /// <summary>The directory, absolute.</summary>
    public string Path { get; }

    /// <summary>The shards and their chunks.</summary>
    public ModelLayout Layout { get; }

    /// <summary>The folder that this program keeps in the model directory.</summary>
    public string StatePath => System.IO.Path.Combine(Path, ".apollo");

    /// <summary>Where config.json is, if there is one.</summary>
    public string ConfigPath => System.IO.Path.Combine(Path, "config.json");

    /// <summary>Reads the index and every header. Nothing is written.</summary>
    /// <exception cref="CheckpointException">10xx, naming file and byte.</exception>
    public static ModelDirectory Open(IDisk disk, string path)
    {
        string full = System.IO.Path.GetFullPath(path);
        if (disk.Stat(full) is not { } entry)
        {
            throw new CheckpointException(CheckpointError.ModelNotFound, $"Model directory not found: {full}", "check --model-dir");
        }

        // The directory itself may be a link (…/current → …/v7); only shards may not.
        if (!IsFolder(disk, full, entry))
        {
            throw new CheckpointException(CheckpointError.ModelNotFound, $"{full} is not a directory", "check --model-dir");
        }

        Dictionary<string, string>? index = WeightIndex.TryRead(disk, System.IO.Path.Combine(full, IndexName));
        IEnumerable<string> files = index is null ? [SingleFile(disk, full)] : index.Values.Distinct(StringComparer.Ordinal);
        List<Shard> shards = [.. files.Select(file => ShardReader.Read(disk, full, file))];
        WeightIndex.CheckAgainst(index, shards);
        return new ModelDirectory(full, shards);
    }

    private static bool IsFolder(IDisk disk, string path, FileEntry entry)
    {
        try
        {
            return entry.Kind == FileEntryKind.Link
                ? disk.Stat(disk.ResolveLink(path))?.Kind == FileEntryKind.Folder
                : entry.Kind == FileEntryKind.Folder;
        }
        catch (FileNotFoundException)
        {
            // A link that leads nowhere.
            return false;
        }
    }

    private static string SingleFile(IDisk disk, string path)
    {
        string[] candidates = [.. disk.List(path).Where(name => name.EndsWith(".safetensors", StringComparison.Ordinal))];
        return candidates switch
        {
            _ when candidates.Contains(SingleName) => SingleName,
            [] => throw new CheckpointException(
                CheckpointError.ModelNotFound,
                $"{path} holds no safetensors file",
                "point --model-dir at the directory that holds model.safetensors or model.safetensors.index.json"
            ),
            _ => throw new CheckpointException(
                CheckpointError.ModelAmbiguous,
                $"{path} holds {candidates.Length} safetensors files ({string.Join(", ", candidates.Take(3))}), but no {IndexName} and no {SingleName}",
                $"restore {IndexName}, which says which tensor is in which file"
            ),
        };
    }
}
