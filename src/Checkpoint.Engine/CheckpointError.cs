namespace ApolloCheckpoint.Engine;

/// <summary>
/// Every way an operation can fail, one number a place. The number divided by 100 is the exit code of the tool
/// (docs/exit-codes.md): 1003 exits with 10. Numbers are written out and never used again for something else.
/// </summary>
public enum CheckpointError
{
    /// <summary>A failure nobody foresaw: a defect.</summary>
    Unexpected = 100,

    /// <summary>The command line or a request asks for something that makes no sense.</summary>
    Usage = 200,

    // 10xx: the model directory is not what it must be.

    /// <summary>The model directory does not exist or is not a directory.</summary>
    ModelNotFound = 1000,

    /// <summary>Neither an index nor exactly one safetensors file.</summary>
    ModelAmbiguous = 1001,

    /// <summary>The index is not readable as an index, or names a file outside the directory.</summary>
    IndexMalformed = 1002,

    /// <summary>The index names a shard that is not there.</summary>
    ShardMissing = 1003,

    /// <summary>A shard's header is malformed, or its length does not fit the file.</summary>
    HeaderMalformed = 1004,

    /// <summary>A shard is a symbolic link or has several hard links.</summary>
    ShardLinked = 1005,

    /// <summary>A shard holds bytes of no known version: something else changed it.</summary>
    ShardForeign = 1006,

    /// <summary>A shard was changed while it was being read.</summary>
    ShardChangedMeanwhile = 1007,

    /// <summary>The directory is on a file system that does not keep the promises this program needs.</summary>
    FileSystemUnfit = 1008,

    /// <summary>config.json is not readable as a model's configuration.</summary>
    ConfigMalformed = 1009,

    // 11xx: the live weights cannot be reached.

    /// <summary>The handles file does not exist.</summary>
    HandlesNotFound = 1100,

    /// <summary>The handles file, or its directory, is not safe to read: owner, mode or kind.</summary>
    HandlesUnsafe = 1101,

    /// <summary>The handles file is malformed, or says something that is not allowed.</summary>
    HandlesMalformed = 1102,

    /// <summary>The process that owns the live weights is gone.</summary>
    ProducerGone = 1103,

    /// <summary>The producer did not load the newest version.</summary>
    ProducerStale = 1104,

    /// <summary>The source cannot open what the handles name, or failed while reading.</summary>
    SourceUnavailable = 1105,

    /// <summary>The handles need a source that this machine or this command does not have.</summary>
    SourceUnsupported = 1106,

    // 12xx: live tensors and tensors on disk do not fit.

    /// <summary>At least one tensor has no counterpart, or another shape or type.</summary>
    PlanMismatch = 1200,

    // 13xx: somebody else is at work.

    /// <summary>Another process holds the lock of the directory.</summary>
    Locked = 1300,

    /// <summary>Readers hold the shards, and the operation cannot do without writing them.</summary>
    ShardsHeld = 1301,

    // 14xx: the journal.

    /// <summary>A delta or the journal's chain is damaged.</summary>
    JournalDamaged = 1400,

    /// <summary>The journal belongs to another history or another model.</summary>
    JournalForeign = 1401,

    /// <summary>The asked version is not in the journal.</summary>
    VersionUnknown = 1402,

    /// <summary>The journal was written by a newer program.</summary>
    JournalTooNew = 1403,

    // 15xx: the disk.

    /// <summary>A write, flush or rename failed.</summary>
    DiskWriteFailed = 1500,

    /// <summary>No space is left.</summary>
    DiskFull = 1501,

    /// <summary>The directory cannot be written: read-only, or not permitted.</summary>
    DiskReadOnly = 1502,

    /// <summary>The delta may or may not be durable: the directory could not be flushed.</summary>
    CommitUnknown = 1503,

    // 16xx: verification.

    /// <summary>Bytes on disk do not have the digest that was recorded.</summary>
    VerificationFailed = 1600,

    /// <summary>A byte range could not be read.</summary>
    DiskReadFailed = 1601,

    // 17xx: consistency.

    /// <summary>The trainer changed weights while they were read, and only a consistent version was wanted.</summary>
    SourceInconsistent = 1700,

    // 18xx: a service, and whoever speaks with it.

    /// <summary>The address cannot be listened on: something else listens there.</summary>
    ListenFailed = 1800,

    /// <summary>The token's file is missing, holds no token, or others can read it.</summary>
    TokenUnusable = 1801,

    /// <summary>The service does not answer.</summary>
    ServiceUnreachable = 1802,

    /// <summary>The service refused the request: no token, a foreign page, another machine.</summary>
    RequestRefused = 1803,

    /// <summary>The service knows no run of that number.</summary>
    RunUnknown = 1804,

    /// <summary>Another run is under way, and two never run at once.</summary>
    Busy = 1805,

    // 20xx: off-site.

    /// <summary>The transfer failed.</summary>
    OffsiteFailed = 2000,

    /// <summary>The copy that arrived is not what was sent, or a part fetched back is not what was recorded.</summary>
    OffsiteDiffers = 2001,

    /// <summary>The far side holds a name of the journal with other bytes, or a copy that this journal does not lead on from.</summary>
    OffsiteForeign = 2002,

    /// <summary>The user cancelled.</summary>
    Cancelled = 13000,
}
