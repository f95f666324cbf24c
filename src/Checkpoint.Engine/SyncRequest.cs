namespace ApolloCheckpoint.Engine;

/// <summary>What a sync is asked to do. Defaults are the command line's.</summary>
public sealed record SyncRequest
{
    /// <summary>The model directory.</summary>
    public required string ModelDirectory { get; init; }

    /// <summary>The handles file, handles directory, or (safetensors source) the other model directory.</summary>
    public string Handles { get; init; } = "/tmp/vllm_weight_handles.pt";

    /// <summary>Bytes of the block that the report counts, from each tensor's start.</summary>
    public int BlockSize { get; init; } = 4096;

    /// <summary>Which source opens the handles.</summary>
    public SourceKind Source { get; init; } = SourceKind.Auto;

    /// <summary>The Python interpreter of the python source, or null: python3 on the PATH.</summary>
    public string? Python { get; init; }

    /// <summary>Whether the python source may execute a pickle.</summary>
    public bool TrustPickle { get; init; }

    /// <summary>Whether parts that the hook did not prove are believed.</summary>
    public bool TrustMapping { get; init; }

    /// <summary>One more user (name or number) who may own the handles file.</summary>
    public string? HandlesOwner { get; init; }

    /// <summary>How the read is made consistent.</summary>
    public ConsistencyMode Consistency { get; init; } = ConsistencyMode.Auto;

    /// <summary>Longest time that <see cref="ConsistencyMode.Lock"/> may hold the trainer.</summary>
    public TimeSpan MaxStall { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bring the files up to date after every K versions; 1 = always; 0 = never by itself.</summary>
    public int FoldEvery { get; init; } = 1;

    /// <summary>How a shard is brought up to date.</summary>
    public FoldWay FoldWay { get; init; } = FoldWay.Auto;

    /// <summary>A folder (RAM-backed) that keeps the newest version's bytes ready between folds, or null.</summary>
    public string? Baseline { get; init; }

    /// <summary>Sync what fits and leave the rest, instead of refusing.</summary>
    public bool AllowPartial { get; init; }

    /// <summary>Take chunks that fit no known version from the live model.</summary>
    public bool Repair { get; init; }

    /// <summary>Take a producer that did not load the newest version.</summary>
    public bool AcceptProducer { get; init; }

    /// <summary>Put a private file in the place of a linked shard.</summary>
    public bool ReplaceLinks { get; init; }

    /// <summary>Use a file system that does not keep the promises (network, FUSE).</summary>
    public bool AllowUnfitFileSystem { get; init; }

    /// <summary>Compare and report, write nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>Number of worker threads, or 0: as many as cores, within the memory bound.</summary>
    public int Workers { get; init; }

    /// <summary>Command line prefix that starts this tool (for the python source's child process): file, then arguments.</summary>
    public IReadOnlyList<string> ToolCommand { get; init; } = [];
}
