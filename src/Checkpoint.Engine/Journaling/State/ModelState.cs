using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>
/// <c>state.json</c> (docs/format-digests.md): what hooks, scripts and people want to know without opening deltas. A hint, never the
/// proof: what journal and shards say wins. Replaced atomically. Fields may be added, never renamed.
/// </summary>
internal sealed record ModelState
{
    private const long MaxBytes = 1 << 20;

    /// <summary>Format of this file.</summary>
    public int Format { get; init; } = 1;

    /// <summary>The history, 32 hex digits.</summary>
    public required string Lineage { get; init; }

    /// <summary>The newest version.</summary>
    public required long Newest { get; init; }

    /// <summary>Oldest delta that history still needs; what is older was pruned, whether or not its file is gone already.</summary>
    public long Oldest { get; init; } = 1;

    /// <summary>The version of the files on disk.</summary>
    public required long FilesVersion { get; init; }

    /// <summary>Root of the newest version, 32 hex digits: what a hook publishes after it loaded it.</summary>
    public required string Root { get; init; }

    /// <summary>The trainer's step of the newest version, or null.</summary>
    public long? Step { get; init; }

    /// <summary>Label of the newest version, as users see it.</summary>
    public string Label { get; init; } = "";

    /// <summary>Time of the newest version, nanoseconds since 1970; 0 when there is none.</summary>
    public long TimeNs { get; init; }

    /// <summary>The producer that the newest version was read from, or null.</summary>
    public ProducerRecord? Producer { get; init; }

    /// <summary>Whether the newest version was made by a restore in place, so that no producer of before holds it.</summary>
    public bool Restored { get; init; }

    /// <summary>Makes it durable.</summary>
    internal void Save(IDisk disk, string path) => AtomicFile.Replace(disk, path, ModelStateJson.Write(this));

    /// <summary>Reads it, or says null: missing or unreadable.</summary>
    internal static ModelState? TryRead(IDisk disk, string path) =>
        AtomicFile.TryRead(disk, path, MaxBytes) is { } bytes ? ModelStateJson.TryParse(bytes) : null;
}
