using System.Globalization;
using System.Net;
using System.Text;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Serving;

/// <summary>The status page: one sentence in large type, then the last runs. Plain HTML, made on the server, no script.</summary>
internal static class StatusPage
{
    /// <summary>The page.</summary>
    /// <param name="modelDirectory">The model.</param>
    /// <param name="runs">The runs, newest first.</param>
    public static string Render(string modelDirectory, IReadOnlyList<RunRecord> runs)
    {
        StringBuilder page = new();
        page.Append(
                CultureInfo.InvariantCulture,
                $"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
            )
            .Append("<meta http-equiv=refresh content=5><title>apollo-checkpoint</title><style>")
            .Append("body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}")
            .Append("h1{font-size:1.6rem;font-weight:600}td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}")
            .Append(".failed{color:#c2410c}.done{color:#15803d}.running{color:#b45309}code{font-size:.9em}</style>");
        RunRecord? newest = runs.Count > 0 ? runs[0] : null;
        page.Append(CultureInfo.InvariantCulture, $"<h1 class={newest?.State ?? "running"}>{Text(Sentence(newest))}</h1>");
        page.Append(CultureInfo.InvariantCulture, $"<p><code>{Text(modelDirectory)}</code></p>");
        page.Append("<table><thead><tr><th>run<th>started<th>state<th>what</tr></thead><tbody>");
        foreach (RunRecord run in runs)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{run.Id}<td>{run.Started.ToLocalTime():yyyy-MM-dd HH:mm:ss}<td class={run.State}>{run.State}<td>{Text(Sentence(run))}</tr>"
            );
        }

        return page.Append("</tbody></table></html>").ToString();
    }

    private static string Sentence(RunRecord? run)
    {
        if (run is null)
        {
            return "No sync yet";
        }

        if (run.Failure is { } failure)
        {
            return $"error {failure.ExitCode}: {failure.Message}" + (failure.Next is null ? "" : $" — next: {failure.Next}");
        }

        if (run.Report is not { } report)
        {
            return "Syncing…";
        }

        using StringWriter text = new(CultureInfo.InvariantCulture);
        SyncReportText.Write(text, report, colour: false);
        return text.ToString().Split('\n')[0];
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
