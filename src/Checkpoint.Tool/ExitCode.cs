namespace ApolloCheckpoint.Tool;

/// <summary>
/// The exit codes of the tool. They are documented API (docs/exit-codes.md): a number is never given another meaning, and a caller
/// treats a number it does not know as a failure. Those from 10 on are <see cref="Engine.CheckpointError"/> divided by 100.
/// </summary>
internal enum ExitCode
{
    /// <summary>Done, whether or not something had changed.</summary>
    Done = 0,

    /// <summary>Unexpected failure, or <c>doctor</c> found a failing line.</summary>
    Unexpected = 1,

    /// <summary>The command line makes no sense.</summary>
    Usage = 2,

    /// <summary>The model directory is not what it must be, or something else changed it.</summary>
    ModelMalformed = 10,

    /// <summary>The live weights cannot be reached.</summary>
    SourceUnavailable = 11,

    /// <summary>Live tensors and tensors on disk do not fit.</summary>
    PlanMismatch = 12,

    /// <summary>Another process is at work in the directory.</summary>
    Locked = 13,

    /// <summary>The journal is damaged, or does not hold the asked version.</summary>
    JournalDamaged = 14,

    /// <summary>A write failed, or no space is left.</summary>
    DiskWriteFailed = 15,

    /// <summary>Bytes on disk are not what was recorded.</summary>
    VerificationFailed = 16,

    /// <summary>The trainer changed weights while they were read.</summary>
    SourceInconsistent = 17,

    /// <summary>A service cannot listen, is not reached, or refuses.</summary>
    ServiceFailed = 18,

    /// <summary>The off-site transfer failed.</summary>
    OffsiteFailed = 20,

    /// <summary>Cancelled by the user or by a signal.</summary>
    Cancelled = 130,
}
