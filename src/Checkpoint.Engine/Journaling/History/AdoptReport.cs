namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>What an adopt did.</summary>
internal sealed record AdoptReport
{
    /// <summary>The version that the files are now: the first of a new history. Numbers go on.</summary>
    internal required long Version { get; init; }

    /// <summary>The new history, 32 hex digits.</summary>
    internal required string Lineage { get; init; }

    /// <summary>Root of the version, 32 hex digits.</summary>
    internal required string Root { get; init; }

    /// <summary>Where the old journal is now, or null when there was none.</summary>
    internal string? OldJournal { get; init; }

    /// <summary>Versions of the old history that the files never held: they are in the old journal only.</summary>
    internal IReadOnlyList<long> NotFolded { get; init; } = [];

    /// <summary>Why the directory could not be recovered before, one sentence, or null when it was.</summary>
    internal string? NotRecovered { get; init; }

    /// <summary>What recovery did before, a sentence each.</summary>
    internal IReadOnlyList<string> Recovered { get; init; } = [];
}
