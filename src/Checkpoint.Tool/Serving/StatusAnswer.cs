namespace ApolloCheckpoint.Tool.Serving;

/// <summary>What <c>GET /status</c> answers: the state of the model and of the service in one look.</summary>
internal sealed record StatusAnswer
{
    /// <summary>The model directory.</summary>
    public required string Model { get; init; }

    /// <summary>The newest version; 0 before the first.</summary>
    public long Version { get; init; }

    /// <summary>The version that the files hold; lower while a fold waits.</summary>
    public long FilesVersion { get; init; }

    /// <summary>When the newest version was made, or null.</summary>
    public DateTime? VersionTime { get; init; }

    /// <summary>The trainer's step of the newest version, or null.</summary>
    public long? Step { get; init; }

    /// <summary>How consistent the newest version's read was: "step 42", "stable", "mixed: 3 tensors"; empty before the first.</summary>
    public string Label { get; init; } = "";

    /// <summary>Bytes of all deltas in the journal.</summary>
    public long JournalBytes { get; init; }

    /// <summary>When the next sync is due, as the trigger said, or null.</summary>
    public DateTime? NextSync { get; init; }

    /// <summary>The newest run, or null before the first. Without its report, which <c>/runs/{id}</c> has.</summary>
    public EngineRun? LastRun { get; init; }

    /// <summary>What today cost the SSD.</summary>
    public required DayTotals Today { get; init; }

    /// <summary>What is known of the off-site copy, or null.</summary>
    public OffsiteView? Offsite { get; init; }
}
