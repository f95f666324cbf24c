using System.Globalization;
using System.Text;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>The page: head, and the parts in the order of what people ask for. Works without its script, which adds life.</summary>
internal static class PageHtml
{
    /// <summary>The whole document.</summary>
    public static string Document(PageState state, HeatMapCache pictures)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(state.Status.Model));
        return $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{HtmlText.Encode(name)} · apollo-checkpoint</title>
            <link rel="icon" href="icon.svg" type="image/svg+xml">
            <link rel="stylesheet" href="page.css">
            <script src="page.js" defer></script>
            </head>
            <body>
            <main id="page" data-newest="{state.Status.Version}">
            {Parts(state, pictures)}
            </main>
            {TokenDialog(state)}
            <noscript><p class="quiet">Reload the page for news; syncs are started by the trigger, or by apollo-checkpoint sync.</p></noscript>
            </body>
            </html>
            """;
    }

    /// <summary>What the script replaces when something has changed.</summary>
    public static string Parts(PageState state, HeatMapCache pictures)
    {
        StringBuilder html = new();
        Head(html, state);
        Where(html, state, pictures);
        OverTime(html, state);
        PageParts.Budget(html, state);
        PageParts.Versions(html, state);
        PageParts.Running(html, state);
        return html.ToString();
    }

    private static void Head(StringBuilder html, PageState state)
    {
        (string level, string why) = state.Verdict();
        string word = level switch
        {
            "good" => "in order",
            "bad" => "failing",
            _ => "look",
        };
        html.Append(
            CultureInfo.InvariantCulture,
            $"<header class=\"{level}\"><p class=\"model\"><code>{HtmlText.Encode(state.Status.Model)}</code></p>"
        );
        html.Append(
            CultureInfo.InvariantCulture,
            $"<h1 id=\"sentence\"><span class=\"dot\" title=\"{word}\"><span class=\"unseen\">{word}: </span></span>{HtmlText.Encode(state.Sentence)}</h1>"
        );
        html.Append(CultureInfo.InvariantCulture, $"<p id=\"why\">{HtmlText.Encode(why)}</p><p class=\"when\">");
        if (state.LastSync is { } last)
        {
            html.Append(CultureInfo.InvariantCulture, $"<span>last sync {HtmlText.Time(last.Started, state.Time)}</span>");
        }

        if (state.Running is { } running)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"<span>{running.Kind.ToString().ToLowerInvariant()} under way since {HtmlText.Time(running.Started, state.Time)}</span>"
            );
        }

        if (state.Status.NextSync is { } next && next > state.Time.GetUtcNow().UtcDateTime)
        {
            html.Append(CultureInfo.InvariantCulture, $"<span>next {HtmlText.Time(next, state.Time)}</span>");
        }

        if (state.Versions.Count > 0)
        {
            html.Append(CultureInfo.InvariantCulture, $"<span>{Quantity.Count(state.Versions.Count, "version")} kept</span>");
        }

        html.Append(
            "</p><p class=\"act\"><button id=\"sync\" hidden>Sync now</button><progress id=\"bar\" max=\"1\" hidden aria-label=\"progress of the run\"></progress>"
        );
        html.Append("<span id=\"said\" role=\"status\"></span></p></header>");
    }

    private static void Where(StringBuilder html, PageState state, HeatMapCache pictures)
    {
        html.Append("<section aria-labelledby=\"where\"><h2 id=\"where\">Where the model changed</h2>");
        if (state.Chosen is not { } chosen)
        {
            html.Append(HtmlText.Paragraph("Nothing yet: the first version makes the first picture.")).Append("</section>");
            return;
        }

        long oldest = state.Versions[^1].Header.Version;
        html.Append("<form method=\"get\" action=\"./#where\" class=\"choose\"><label for=\"version\">version</label>");
        html.Append(
            CultureInfo.InvariantCulture,
            $"<input id=\"version\" name=\"version\" type=\"range\" min=\"{oldest}\" max=\"{state.Status.Version}\" value=\"{chosen.Header.Version}\">"
        );
        html.Append(
            CultureInfo.InvariantCulture,
            $"<output for=\"version\">{chosen.Header.Version}</output><noscript><button>Show</button></noscript></form>"
        );
        html.Append("<div id=\"picture\">").Append(pictures.Html(chosen)).Append("</div></section>");
    }

    private static void OverTime(StringBuilder html, PageState state)
    {
        if (state.Versions.Count < 2)
        {
            return;
        }

        VersionEntry[] versions = [.. state.Versions.Reverse()];
        DateTime[] failures =
        [
            .. state.Runs.Where(run => run is { Kind: RunKind.Sync, State: RunState.Failed }).Select(run => run.Started).Order(),
        ];
        html.Append("<section aria-labelledby=\"time\"><h2 id=\"time\">Over time</h2>");
        new TimeChart("changed share", version => version.ChangedShare, version => HtmlText.Share(version.ChangedShare)).Draw(
            html,
            versions,
            failures,
            state.Time
        );
        new TimeChart("delta size", version => version.Bytes, version => Quantity.Size(version.Bytes)).Draw(
            html,
            versions,
            failures,
            state.Time
        );
        html.Append("<p class=\"legend\">");
        Key(html, failures.Length, "failed");
        Key(html, versions.Count(version => version.Header.Label.Kind == ConsistencyKind.Mixed), "mixed");
        html.Append("</p></section>");
    }

    private static void Key(StringBuilder html, int count, string kind)
    {
        if (count > 0)
        {
            string what = kind == "failed" ? Quantity.Count(count, "failed sync") : Quantity.Count(count, "mixed version");
            html.Append(CultureInfo.InvariantCulture, $"<span class=\"key {kind}\"></span><span>{what}</span>");
        }
    }

    private static string TokenDialog(PageState state) =>
        state.TokenFile is not { } file
            ? ""
            : $"""
                <dialog id="ask" aria-labelledby="ask-title">
                <form id="ask-form" method="dialog">
                <h2 id="ask-title">The token, please</h2>
                <p>Only who can read its file may start a sync: <code>cat {HtmlText.Encode(file)}</code></p>
                <label for="token">token</label> <input id="token" type="password" autocomplete="off" spellcheck="false" required>
                <p class="act"><button value="go">Sync now</button> <button type="button" id="ask-no">Cancel</button></p>
                </form>
                </dialog>
                """;
}
