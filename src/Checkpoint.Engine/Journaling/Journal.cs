using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling;

/// <summary>
/// Which versions the journal holds: an unbroken run, each made of the one before, all of one history and one model. Only the headers
/// are read; a delta is opened when it is needed. Opening writes nothing, and a delta that does not fit touches nothing (exit 14).
/// </summary>
internal sealed class Journal
{
    private readonly StatePaths paths;
    private readonly ModelLayout layout;
    private readonly List<DeltaHeader> versions;
    private readonly DeltaFiles files;

    private Journal(IDisk disk, StatePaths paths, ModelLayout layout, List<DeltaHeader> versions, IReadOnlyList<long> leftovers)
    {
        this.paths = paths;
        this.layout = layout;
        this.versions = versions;
        files = new DeltaFiles(disk);
        Leftovers = leftovers;
    }

    /// <summary>The versions by ascending number.</summary>
    internal IReadOnlyList<DeltaHeader> Versions => versions;

    /// <summary>Numbers of deltas that a prune gave up and did not get to delete; no part of the journal.</summary>
    internal IReadOnlyList<long> Leftovers { get; }

    /// <summary>The newest version's header, or null when the journal is empty.</summary>
    internal DeltaHeader? Last => versions.Count == 0 ? null : versions[^1];

    /// <summary>The oldest version's header, or null when the journal is empty.</summary>
    internal DeltaHeader? First => versions.Count == 0 ? null : versions[0];

    /// <summary>Reads and checks the chain.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="paths">Where the journal is.</param>
    /// <param name="layout">The model's layout.</param>
    /// <param name="oldest">Deltas below this number were pruned (state.json); 0 when it is not known.</param>
    /// <exception cref="CheckpointException">JournalDamaged, JournalForeign, JournalTooNew: one delta is damaged, missing or not of the chain.</exception>
    internal static Journal Open(IDisk disk, StatePaths paths, ModelLayout layout, long oldest)
    {
        long[] found =
        [
            .. disk.List(paths.Journal)
                .Select(StatePaths.VersionOf)
                .Where(version => version is not null)
                .Select(version => version.GetValueOrDefault())
                .Order(),
        ];
        List<DeltaHeader> versions = [];
        foreach (long version in found.Where(version => version >= oldest))
        {
            DeltaHeader header = DeltaReader.ReadHeader(disk, paths.Delta(version));
            Check(paths.Delta(version), header, version, versions.Count == 0 ? null : versions[^1], layout);
            versions.Add(header);
        }

        return new Journal(disk, paths, layout, versions, [.. found.Where(version => version < oldest)]);
    }

    /// <summary>The header of a version, or null when the journal does not hold it.</summary>
    internal DeltaHeader? Find(long version)
    {
        long place = version - (First?.Version ?? 0);
        return place >= 0 && place < versions.Count ? versions[(int)place] : null;
    }

    /// <summary>Opens the delta that makes a version of its parent.</summary>
    /// <exception cref="CheckpointException">VersionUnknown; or as <see cref="DeltaReader.Open(DeltaFiles, string, ModelLayout)"/>.</exception>
    internal DeltaReader OpenDelta(long version) =>
        Find(version) is not null
            ? DeltaReader.Open(files, paths.Delta(version), layout)
            : throw new CheckpointException(
                CheckpointError.VersionUnknown,
                First is null
                    ? $"the journal of {paths.Model} is empty"
                    : $"the journal of {paths.Model} holds versions {First.Version} to {versions[^1].Version}, not {version}",
                "apollo-checkpoint log lists the versions"
            );

    /// <summary>Takes a version in that was just committed.</summary>
    internal void Add(DeltaHeader header)
    {
        Check(paths.Delta(header.Version), header, header.Version, Last, layout);
        versions.Add(header);
    }

    /// <summary>Forgets the versions below <paramref name="oldest"/>; the newest always stays.</summary>
    /// <returns>The numbers that were forgotten: their files are the caller's to delete, once that is durable.</returns>
    internal IReadOnlyList<long> ForgetBefore(long oldest)
    {
        long[] forgotten = [.. versions.SkipLast(1).Select(header => header.Version).Where(version => version < oldest)];
        versions.RemoveRange(0, forgotten.Length);
        return forgotten;
    }

    private static void Check(string path, DeltaHeader header, long version, DeltaHeader? parent, ModelLayout layout)
    {
        if (header.Version != version)
        {
            throw Foreign(path, $"makes version {header.Version}: it was renamed");
        }

        if (header.ModelIdentity != layout.Identity)
        {
            throw Foreign(path, "belongs to a model with other tensors");
        }

        if (parent is null)
        {
            return;
        }

        if (parent.Version != header.Parent)
        {
            throw DeltaFormat.Damaged(path, $"is made of version {header.Parent}, which is missing; the one before it is {parent.Version}");
        }

        if (parent.Lineage != header.Lineage)
        {
            throw Foreign(path, "belongs to another history");
        }

        if (parent.Root != header.ParentRoot)
        {
            throw Foreign(path, $"was made of another version {header.Parent} than the one in this journal");
        }
    }

    private static CheckpointException Foreign(string path, string what) =>
        new(
            CheckpointError.JournalForeign,
            $"{path} {what}",
            "move the file out of the journal, or copy the right one back from the off-site copy; nothing was touched"
        );
}
