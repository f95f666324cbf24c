using System.Globalization;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>Moves the journal of a history that was given up out of the way. Nothing of it is ever deleted.</summary>
internal static class OldJournal
{
    /// <summary>Moves the journal folder aside and puts an empty one in its place, both durable. An empty journal stays.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="paths">The directory.</param>
    /// <param name="version">First version of the new history; part of the name.</param>
    /// <returns>Where the old one is now, or null when it was empty.</returns>
    internal static string? MoveAside(IDisk disk, StatePaths paths, long version)
    {
        string? moved = null;
        if (disk.List(paths.Journal).Any(name => StatePaths.VersionOf(name) is not null))
        {
            moved = FreeName(disk, paths, version);
            disk.RenameNew(paths.Journal, moved);
        }

        disk.CreateFolder(paths.Journal);
        disk.FlushFolder(paths.Journal);
        disk.FlushFolder(paths.Folder);
        return moved;
    }

    /// <summary>Whether the journal folder still holds another history than the digests, all of it older.</summary>
    internal static bool IsLeftBehind(IDisk disk, StatePaths paths, DigestTable table, ModelState? state)
    {
        long newest = disk.List(paths.Journal).Select(StatePaths.VersionOf).Max() ?? 0;
        if (newest == 0 || newest >= table.Shards.Min(shard => shard.Version))
        {
            return false;
        }

        // The state is written last, so it still speaks of the history before. Without it the delta itself must say.
        return state is not null
            ? state.Lineage != table.Lineage.ToString()
            : DeltaReader.ReadHeader(disk, paths.Delta(newest)).Lineage != table.Lineage;
    }

    private static string FreeName(IDisk disk, StatePaths paths, long version)
    {
        string name = Path.Combine(paths.Folder, "journal.before-" + version.ToString("D10", CultureInfo.InvariantCulture));
        string free = name;
        for (int i = 2; disk.Stat(free) is not null; i++)
        {
            free = $"{name}.{i}";
        }

        return free;
    }
}
