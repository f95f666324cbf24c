namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>
/// Retention: takes whole deltas away from the old end of the journal (invariant 8). What is kept is always an unbroken run up to the
/// newest version; a delta that the files have not passed is never taken. Works on a full disk.
/// </summary>
internal static class Prune
{
    /// <summary>Prunes.</summary>
    /// <param name="session">The opened model.</param>
    /// <param name="keepLast">So many newest versions stay; null: only the other rule speaks. At least one always stays.</param>
    /// <param name="keepWithin">Versions as young as that stay; null: only the other rule speaks.</param>
    /// <exception cref="CheckpointException">Usage: neither rule was given, or one makes no sense. 15xx.</exception>
    internal static PruneReport Run(JournalSession session, int? keepLast, TimeSpan? keepWithin)
    {
        if ((keepLast is null && keepWithin is null) || keepLast < 1 || keepWithin < TimeSpan.Zero)
        {
            throw new CheckpointException(
                CheckpointError.Usage,
                "prune needs to know what to keep: at least one version, or those of a time span",
                "for example: apollo-checkpoint prune --keep-last 1000, or --keep-within 7d"
            );
        }

        Dictionary<long, long> sizes = session.Journal.Versions.ToDictionary(
            header => header.Version,
            header => session.Disk.Stat(session.Paths.Delta(header.Version))?.Length ?? 0
        );
        IReadOnlyList<long> gone = session.Prune(FirstKept(session, keepLast, keepWithin));
        return new PruneReport(
            gone,
            session.Journal.Versions.Count,
            gone.Sum(version => sizes[version]),
            session.Journal.First?.Parent ?? session.Newest
        );
    }

    /// <summary>Both rules keep: what either wants stays, and with it everything younger.</summary>
    private static long FirstKept(JournalSession session, int? keepLast, TimeSpan? keepWithin)
    {
        long first = session.Newest - (keepLast ?? 1) + 1;
        if (keepWithin is { } span)
        {
            long since = (session.Options.Time.GetUtcNow() - span - DateTimeOffset.UnixEpoch).Ticks * 100;
            // Times never go back along the versions, so the first that is young enough begins the run.
            first = Math.Min(first, session.Journal.Versions.FirstOrDefault(header => header.TimeNs >= since)?.Version ?? first);
        }

        return first;
    }
}
