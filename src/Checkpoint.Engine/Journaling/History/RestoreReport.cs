namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>What a restore did.</summary>
internal sealed record RestoreReport
{
    /// <summary>The version whose bytes were asked for.</summary>
    internal required long Restored { get; init; }

    /// <summary>The version that the model is at now; for a copy, the version that the copy holds.</summary>
    internal required long Version { get; init; }

    /// <summary>The version that the files hold now.</summary>
    internal required long FilesVersion { get; init; }

    /// <summary>Chunks that differ from what was there before; for a copy, all that were written.</summary>
    internal int Chunks { get; init; }

    /// <summary>Chunks that were damaged and came from a mirror.</summary>
    internal int FromMirror { get; init; }

    /// <summary>Bytes of the delta of the new version, or 0.</summary>
    internal long DeltaBytes { get; init; }

    /// <summary>Bytes written in all.</summary>
    internal long WrittenBytes { get; init; }

    /// <summary>Where the copy is, or null for a restore in place.</summary>
    internal string? Output { get; init; }

    /// <summary>Why the files are not at the new version yet, or null.</summary>
    internal string? Warning { get; init; }

    /// <summary>Files beside the shards that were not copied, a sentence each.</summary>
    internal IReadOnlyList<string> Skipped { get; init; } = [];

    /// <summary>What recovery did before, a sentence each.</summary>
    internal IReadOnlyList<string> Recovered { get; init; } = [];

    /// <summary>What the user should know, a sentence each.</summary>
    internal IReadOnlyList<string> Warnings { get; init; } = [];
}
