using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>Puts together what the service knows and what stands on disk.</summary>
internal static class StatusReader
{
    /// <summary>The state in one look.</summary>
    /// <param name="view">The model.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="versions">Its versions, newest first.</param>
    public static StatusAnswer Read(ModelView view, EngineRuns runs, IReadOnlyList<VersionEntry> versions)
    {
        ModelState? state = view.State();
        VersionEntry? newest = versions.Count > 0 ? versions[0] : null;
        IReadOnlyList<EngineRun> all = runs.All();
        return new StatusAnswer
        {
            Model = view.Paths.Model,
            // The journal is the proof; state.json is a hint that may lag behind it.
            Version = Math.Max(state?.Newest ?? 0, newest?.Header.Version ?? 0),
            FilesVersion = state?.FilesVersion ?? 0,
            VersionTime = newest?.Time,
            Step = newest?.Header.Step,
            Label = newest?.Header.Label.ToString() ?? "",
            JournalBytes = versions.Sum(version => version.Bytes),
            NextSync = all.FirstOrDefault(run => run.Next is not null)?.Next,
            LastRun = all.Count > 0 ? all[0] with { Report = null } : null,
            Today = runs.Today(),
            Offsite = OffsiteView.TryRead(view.Paths.Model),
        };
    }

    /// <summary>A version as <c>log</c> lists it.</summary>
    /// <param name="version">The version.</param>
    /// <param name="inFiles">The version that the files hold, or null.</param>
    public static VersionRow Row(VersionEntry version, long? inFiles) =>
        new(
            version.Header.Version,
            new DateTimeOffset(version.Time),
            version.Header.Step,
            version.Header.Label,
            version.Header.ChangedUnits,
            version.Header.ComparedUnits,
            version.Bytes,
            version.Header.Version == inFiles
        );
}
