using System.Security.Cryptography;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// State and digests as they were while the shards were held still, in a temporary folder: syncs go on during the transfer and replace
/// both, and a state that is newer than the journal beside it would be damage.
/// </summary>
internal sealed class PinnedFiles : IDisposable
{
    private const long MaxBytes = 1L << 31;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("apollo-offsite-");
    private readonly List<(string Name, string Sha256)> sums = [];
    private readonly List<string> paths = [];

    private PinnedFiles() { }

    /// <summary>Sums of what was pinned, names from the copy's root.</summary>
    internal IReadOnlyList<(string Name, string Sha256)> Sums => sums;

    /// <summary>The pinned files.</summary>
    internal IReadOnlyList<string> Paths => paths;

    /// <summary>Copies them.</summary>
    internal static PinnedFiles Take(IDisk disk, HeldModel held)
    {
        PinnedFiles pinned = new();
        foreach (string path in (string[])[held.Paths.State, held.Paths.Digests])
        {
            if (held.Newest is not null && AtomicFile.TryRead(disk, path, MaxBytes) is { } bytes)
            {
                string name = Path.GetFileName(path);
                pinned.Add(name, bytes);
                pinned.sums.Add((".apollo/" + name, Convert.ToHexStringLower(SHA256.HashData(bytes))));
            }
        }

        return pinned;
    }

    /// <summary>Adds a file that travels with them.</summary>
    internal void Add(string name, byte[] content)
    {
        string path = Path.Combine(folder.FullName, name);
        File.WriteAllBytes(path, content);
        paths.Add(path);
    }

    /// <inheritdoc/>
    public void Dispose() => folder.Delete(recursive: true);
}
