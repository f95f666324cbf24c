using System.Globalization;
using System.Text;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>The parts of the page below the pictures: budget, versions, what is running.</summary>
internal static class PageParts
{
    /// <summary>What the day cost the SSD, what the journal holds, and the off-site copy.</summary>
    public static void Budget(StringBuilder html, PageState state)
    {
        DayTotals today = state.Status.Today;
        html.Append("<section aria-labelledby=\"budget\"><h2 id=\"budget\">Budget today</h2><dl class=\"budget\">");
        long most = Math.Max(1, Math.Max(today.WrittenBytes, today.OldProgramBytes));
        string share =
            today.OldProgramBytes == 0
                ? ""
                : $", {Quantity.Percent(today.WrittenBytes, today.OldProgramBytes)} of what the old program would have written";
        Bar(
            html,
            "written to the SSD",
            today.WrittenBytes,
            most,
            $"{Quantity.Size(today.WrittenBytes)} in {Quantity.Count(today.Syncs, "sync")}{share}"
        );
        Bar(
            html,
            "the old program",
            today.OldProgramBytes,
            most,
            $"{Quantity.Size(today.OldProgramBytes)}: dumps of all weights, and the changed blocks"
        );
        Row(html, "journal", $"{Quantity.Size(state.Status.JournalBytes)} in {Quantity.Count(state.Versions.Count, "version")}");
        Offsite(html, state);
        html.Append("</dl></section>");
    }

    private static void Offsite(StringBuilder html, PageState state)
    {
        if (state.Status.Offsite is not { Version: { } version, Time: { } time } copy)
        {
            Row(html, "off-site", state.Status.Offsite?.Failure ?? "no copy yet");
            return;
        }

        DateTime now = state.Time.GetUtcNow().UtcDateTime;
        long behind = Math.Max(0, state.Status.Version - version);
        string lag = behind == 0 ? "nothing missing" : $"{Quantity.Count(behind, "version")} behind";
        Row(html, "off-site", $"version {version} at {copy.Target}, {lag}, shipped {HtmlText.Span(now - time)} ago");
        Row(html, "restore drill", copy.DrillTime is { } drill ? $"right, {HtmlText.Span(now - drill)} ago" : "none yet");
    }

    /// <summary>The table of <c>log</c>, and the command that restores.</summary>
    public static void Versions(StringBuilder html, PageState state)
    {
        html.Append("<section aria-labelledby=\"versions\"><h2 id=\"versions\">Versions</h2>");
        if (state.Versions.Count == 0)
        {
            html.Append(HtmlText.Paragraph("None yet.")).Append("</section>");
            return;
        }

        html.Append("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"versions\"><table><thead><tr>");
        html.Append(
            "<th scope=\"col\">version<th scope=\"col\">when<th scope=\"col\">step<th scope=\"col\">label<th scope=\"col\">changed<th scope=\"col\">delta<th scope=\"col\">files</tr></thead><tbody>"
        );
        foreach (VersionEntry version in state.Versions.Take(state.Rows))
        {
            VersionRow row = state.Row(version);
            string chosen = version == state.Chosen ? " aria-current=\"true\"" : "";
            html.Append(
                CultureInfo.InvariantCulture,
                $"<tr{chosen}><th scope=\"row\"><a href=\"./?version={row.Version}#where\">{row.Version}</a><td>{HtmlText.Time(version.Time, state.Time)}<td>{(row.Step is { } step ? Quantity.Count(step) : "")}<td>{HtmlText.Encode(row.Label.ToString())}<td>{Quantity.Percent(row.ChangedUnits, row.ComparedUnits)}<td>{Quantity.Size(version.Bytes)}<td>{(row.IsInFiles ? "current" : "")}</tr>"
            );
        }

        html.Append("</tbody></table></div>");
        if (state.Versions.Count > state.Rows)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"<p><a href=\"./?rows={state.Versions.Count}#versions\">all {Quantity.Count(state.Versions.Count)} versions</a></p>"
            );
        }

        html.Append(
            CultureInfo.InvariantCulture,
            $"<p class=\"restore\">Restore to a folder: <code id=\"restore\">{HtmlText.Encode(state.RestoreCommand)}</code> <button id=\"copy\" hidden>Copy</button></p></section>"
        );
    }

    /// <summary>Who asks, what it read, and the last error.</summary>
    public static void Running(StringBuilder html, PageState state)
    {
        html.Append("<section aria-labelledby=\"running\"><h2 id=\"running\">What is running</h2><dl>");
        EngineRun? done = state.Runs.FirstOrDefault(run => run is { Kind: RunKind.Sync, State: RunState.Done });
        if (done is not null)
        {
            Row(html, "source", Field(done, "source") + (Field(done, "sourceDetail") is { Length: > 0 } detail ? $" ({detail})" : ""));
            Row(html, "consistency", state.Status.Label.Length > 0 ? state.Status.Label : Field(done, "label"));
        }

        Row(
            html,
            "files",
            state.Status.FilesVersion == state.Status.Version
                ? $"hold version {state.Status.FilesVersion}"
                : $"hold version {state.Status.FilesVersion}; to bring them up to date: apollo-checkpoint fold"
        );
        Row(html, "today", $"{Quantity.Count(state.Status.Today.Syncs, "sync")}, {Quantity.Count(state.Status.Today.Failures, "failure")}");
        if (state.Runs.FirstOrDefault(run => run.Error is not null) is { Error: { } error } failed)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"<dt>last error<dd>{HtmlText.Time(failed.Started, state.Time)}: error {error.ExitCode}: {HtmlText.Encode(error.Message)}"
            );
            html.Append(error.Next is null ? "" : $"<br>next: {HtmlText.Encode(error.Next)}");
        }

        html.Append("</dl></section>");
    }

    private static void Bar(StringBuilder html, string name, long bytes, long most, string text) =>
        html.Append(
            CultureInfo.InvariantCulture,
            $"<dt>{name}<dd><svg class=\"bar{(name.StartsWith("the", StringComparison.Ordinal) ? " other" : "")}\" aria-hidden=\"true\"><rect width=\"{HtmlText.Number(100.0 * bytes / most)}%\" height=\"100%\"/></svg>{HtmlText.Encode(text)}"
        );

    private static void Row(StringBuilder html, string name, string text) =>
        html.Append(CultureInfo.InvariantCulture, $"<dt>{name}<dd>{HtmlText.Encode(text)}");

    private static string Field(EngineRun run, string name) =>
        run.Report is { } report && report.TryGetProperty(name, out System.Text.Json.JsonElement value) ? value.ToString() : "";
}
