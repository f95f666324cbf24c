namespace ApolloCheckpoint.Engine;

/// <summary>What a sync did. Sizes in bytes, durations as measured; nothing here is an estimate unless its name says so.</summary>
public sealed record SyncReport
{
    /// <summary>The version the model is at now.</summary>
    public required long Version { get; init; }

    /// <summary>The version of the files on disk; lower than <see cref="Version"/> while deltas are not folded.</summary>
    public required long FilesVersion { get; init; }

    /// <summary>Whether a new version was committed.</summary>
    public required bool Changed { get; init; }

    /// <summary>True when nothing was written because it was asked so.</summary>
    public bool DryRun { get; init; }

    /// <summary>The trainer's step, or null when it publishes none.</summary>
    public long? Step { get; init; }

    /// <summary>How consistent the read was.</summary>
    public required ConsistencyLabel Label { get; init; }

    /// <summary>Short name of the source: "host memory", "native CUDA".</summary>
    public required string Source { get; init; }

    /// <summary>What chose the source, and further text ("GPU-5f3c…"); may be empty.</summary>
    public string SourceDetail { get; init; } = "";

    /// <summary>Tensors on disk that are live.</summary>
    public required int TensorsOnDisk { get; init; }

    /// <summary>Live tensors they come from.</summary>
    public required int LiveTensors { get; init; }

    /// <summary>Tensors left as they are.</summary>
    public required int TensorsNotLive { get; init; }

    /// <summary>Why, grouped for the report: "mtp.*" and count.</summary>
    public IReadOnlyList<(string Reason, int Count)> NotLiveReasons { get; init; } = [];

    /// <summary>Bytes of all tensors on disk.</summary>
    public required long ModelBytes { get; init; }

    /// <summary>Bytes on disk that were compared.</summary>
    public required long ComparedBytes { get; init; }

    /// <summary>Elements compared and changed.</summary>
    public long ComparedElements { get; init; }

    /// <summary>Elements whose bits on disk change.</summary>
    public long ChangedElements { get; init; }

    /// <summary>Bytes of these elements.</summary>
    public long ChangedBytes { get; init; }

    /// <summary>Bytes of the block counted.</summary>
    public int BlockSize { get; init; }

    /// <summary>Blocks compared and changed, counted from each tensor's start.</summary>
    public long ComparedBlocks { get; init; }

    /// <summary>Blocks that hold a change.</summary>
    public long ChangedBlocks { get; init; }

    /// <summary>Bytes of these blocks; the last of a tensor may be short.</summary>
    public long ChangedBlockBytes { get; init; }

    /// <summary>Bytes of the delta file, or 0.</summary>
    public long DeltaBytes { get; init; }

    /// <summary>Bytes written to disk in all: delta, redo, shards, digests, state.</summary>
    public long WrittenBytes { get; init; }

    /// <summary>One row a shard, by file name.</summary>
    public IReadOnlyList<ShardReport> Shards { get; init; } = [];

    /// <summary>Seconds of the stages, in order: "recover", "open", "plan", "scan", "commit", "fold", "digests".</summary>
    public IReadOnlyList<(string Stage, TimeSpan Elapsed)> Stages { get; init; } = [];

    /// <summary>Wall time of the whole run.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Things the user should know though the run succeeded, each one sentence.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What recovery did before the run, each one sentence; empty when nothing was unfinished.</summary>
    public IReadOnlyList<string> Recovered { get; init; } = [];
}
