using System.Text.Json;
using System.Text.Json.Serialization;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// <c>.apollo/offsite.json</c> (docs/offsite.md): what the off-site job did last, for the status page, scripts and people. Fields may be
/// added, never renamed; times are UTC.
/// </summary>
public sealed record OffsiteState
{
    private const long MaxBytes = 1 << 20;

    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Format of this file.</summary>
    [JsonPropertyName("format")]
    public int FormatVersion { get; init; } = 1;

    /// <summary>Where the copies go, as people write it.</summary>
    public string Target { get; init; } = "";

    /// <summary>The newest finished copy, or null.</summary>
    public CopyDone? Copy { get; init; }

    /// <summary>The newest shipping of deltas since then, or null.</summary>
    public DeltasDone? Deltas { get; init; }

    /// <summary>The newest restore drill that found everything right, or null.</summary>
    public DrillDone? Drill { get; init; }

    /// <summary>The failure of the newest run, or null when it ended well.</summary>
    public RunFailed? Failure { get; init; }

    /// <summary>What runs now: "copy", "deltas" or "drill"; null when nothing does. A run that was killed leaves it standing.</summary>
    public RunNow? Running { get; init; }

    /// <summary>When the service will make its next copy; null when no service runs.</summary>
    public DateTimeOffset? Next { get; init; }

    /// <summary>The newest version that the far side holds, or null when it holds none.</summary>
    [JsonIgnore]
    public long? NewestVersion =>
        Copy is null ? null : Math.Max(Copy.Version ?? 0, Deltas is { } deltas && deltas.Snapshot == Copy.Snapshot ? deltas.Version : 0);

    /// <summary>A finished copy.</summary>
    /// <param name="Snapshot">Its name there.</param>
    /// <param name="Time">When it was finished.</param>
    /// <param name="Version">The newest version in it; null when the model was never synced.</param>
    /// <param name="FilesVersion">The version of its files.</param>
    /// <param name="SentBytes">Bytes that were sent.</param>
    /// <param name="ModelBytes">Bytes of the copy.</param>
    /// <param name="VerifiedFiles">Files that the far side read and compared; 0 when it was told not to.</param>
    /// <param name="SumsSha256">SHA-256 of the copy's list of sums.</param>
    /// <param name="Seconds">Wall time.</param>
    public sealed record CopyDone(
        string Snapshot,
        DateTimeOffset Time,
        long? Version,
        long? FilesVersion,
        long SentBytes,
        long ModelBytes,
        int VerifiedFiles,
        string SumsSha256,
        double Seconds
    );

    /// <summary>A finished shipping of deltas.</summary>
    /// <param name="Snapshot">The snapshot that they were added to.</param>
    /// <param name="Time">When.</param>
    /// <param name="Version">The newest version there since.</param>
    /// <param name="Count">Deltas that were shipped by that run.</param>
    /// <param name="SentBytes">Bytes that were sent.</param>
    /// <param name="Seconds">Wall time.</param>
    public sealed record DeltasDone(string Snapshot, DateTimeOffset Time, long Version, int Count, long SentBytes, double Seconds);

    /// <summary>A restore drill that found everything right.</summary>
    /// <param name="Snapshot">The snapshot.</param>
    /// <param name="Time">When.</param>
    /// <param name="Chunks">Chunks that were fetched.</param>
    /// <param name="Bytes">Bytes that were fetched.</param>
    /// <param name="Seconds">Wall time.</param>
    public sealed record DrillDone(string Snapshot, DateTimeOffset Time, int Chunks, long Bytes, double Seconds);

    /// <summary>A run that failed.</summary>
    /// <param name="What">"copy", "deltas" or "drill".</param>
    /// <param name="Time">When.</param>
    /// <param name="ExitCode">As in docs/exit-codes.md.</param>
    /// <param name="Message">What happened.</param>
    /// <param name="Next">What to do, or null.</param>
    public sealed record RunFailed(string What, DateTimeOffset Time, int ExitCode, string Message, string? Next);

    /// <summary>A run that is under way.</summary>
    /// <param name="What">"copy", "deltas" or "drill".</param>
    /// <param name="Since">When it began.</param>
    public sealed record RunNow(string What, DateTimeOffset Since);

    /// <summary>Reads it, or says null: there is none, or it cannot be understood.</summary>
    public static OffsiteState? TryRead(IDisk disk, string modelDirectory)
    {
        try
        {
            string path = new StatePaths(modelDirectory).Offsite;
            return AtomicFile.TryRead(disk, path, MaxBytes) is { } bytes ? JsonSerializer.Deserialize<OffsiteState>(bytes, Format) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Replaces it, where the model has a folder of ours; a model that was never synced keeps none.</summary>
    public void Save(IDisk disk, string modelDirectory)
    {
        StatePaths paths = new(modelDirectory);
        if (disk.Stat(paths.Folder) is not null)
        {
            AtomicFile.Replace(disk, paths.Offsite, JsonSerializer.SerializeToUtf8Bytes(this, Format));
        }
    }
}
