using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>Everything that one view of the page shows.</summary>
internal sealed record PageState
{
    /// <summary>The numbers of <c>/status</c>.</summary>
    public required StatusAnswer Status { get; init; }

    /// <summary>The versions, newest first.</summary>
    public required IReadOnlyList<VersionEntry> Versions { get; init; }

    /// <summary>The runs, newest first.</summary>
    public required IReadOnlyList<EngineRun> Runs { get; init; }

    /// <summary>The version whose picture is shown, or null before the first.</summary>
    public required VersionEntry? Chosen { get; init; }

    /// <summary>How many rows the table of versions has at most.</summary>
    public required int Rows { get; init; }

    /// <summary>Where a person finds the token, or null when none is wanted.</summary>
    public required string? TokenFile { get; init; }

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>The newest sync that ended, or null.</summary>
    public EngineRun? LastSync => Runs.FirstOrDefault(run => run.Kind == RunKind.Sync && run.State != RunState.Running);

    /// <summary>The run that is under way, or null.</summary>
    public EngineRun? Running => Runs.FirstOrDefault(run => run.State == RunState.Running);

    /// <summary>The first line: what is the state, in one sentence.</summary>
    public string Sentence =>
        LastSync switch
        {
            null when Versions.Count > 0 => $"version {Versions[0].Header.Version}, made before this service started",
            null => Running is null ? "No sync yet" : "The first sync is running",
            { } run => run.Sentence,
        };

    /// <summary>"good", "attention" or "bad", and why, where it is not good.</summary>
    public (string Level, string Why) Verdict()
    {
        EngineRun? last = LastSync;
        DateTime now = Time.GetUtcNow().UtcDateTime;
        if (last is { State: RunState.Failed, Error: { } error })
        {
            return ("bad", error.Next is null ? "the last sync failed" : $"the last sync failed; next: {error.Next}");
        }

        // Three periods without the sync that was announced: whoever asks for it has stopped.
        if (last is { Next: { } next } && now - last.Started > 3 * (next - last.Started) && now - next > TimeSpan.FromSeconds(30))
        {
            return ("bad", $"the sync that was due {HtmlText.Span(now - next)} ago did not come: does the trigger run?");
        }

        return last switch
        {
            { State: RunState.Interrupted } => ("attention", "the last sync was interrupted; the next one recovers"),
            _ when Status.Offsite?.Failure is { } failure => ("attention", $"off-site: {failure}"),
            _ when Status.Version - Status.FilesVersion > 12 => (
                "attention",
                $"{Status.Version - Status.FilesVersion} versions wait for a fold"
            ),
            _ when Versions is [{ Header.Label.Kind: Engine.ConsistencyKind.Mixed }, ..] => (
                "attention",
                $"the newest version is {Versions[0].Header.Label}: they moved while they were read"
            ),
            null => ("attention", ""),
            _ => ("good", ""),
        };
    }

    /// <summary>The command that restores the chosen version into a folder of its own.</summary>
    public string RestoreCommand =>
        $"apollo-checkpoint restore --model-dir {Shell(Status.Model)} --to {Chosen?.Header.Version ?? 0} --output FOLDER";

    /// <summary>A row of the table of versions.</summary>
    public VersionRow Row(VersionEntry version) => StatusReader.Row(version, Status.FilesVersion);

    private static string Shell(string word) =>
        word.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '.' or '_' or '-')
            ? word
            : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
