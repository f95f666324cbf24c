using System.Globalization;
using System.Text;

namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>
/// One number of every version over time, as a line; gaps where a sync failed between two versions, ticks below for what went wrong.
/// Drawn in a space of 1000 by 100 that the browser stretches; lines keep their width.
/// </summary>
/// <param name="title">What it shows.</param>
/// <param name="value">The number of a version.</param>
/// <param name="text">The number as people read it.</param>
internal sealed class TimeChart(string title, Func<VersionEntry, double> value, Func<VersionEntry, string> text)
{
    private const double Width = 1000;
    private const double Height = 100;

    /// <summary>Draws it.</summary>
    /// <param name="html">Where to.</param>
    /// <param name="versions">The versions, oldest first, at least one.</param>
    /// <param name="failures">When syncs failed.</param>
    /// <param name="time">The clock.</param>
    public void Draw(StringBuilder html, IReadOnlyList<VersionEntry> versions, IReadOnlyList<DateTime> failures, TimeProvider time)
    {
        VersionEntry newest = versions[^1];
        VersionEntry largest = versions.MaxBy(value)!;
        double top = Math.Max(value(largest), double.Epsilon);
        html.Append(
            CultureInfo.InvariantCulture,
            $"<figure class=\"chart\"><figcaption><b>{HtmlText.Encode(title)}</b> <span>{text(newest)} now, at most {text(largest)} (version {largest.Header.Version})</span></figcaption>"
        );
        html.Append(
            CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 -4 {Width} {Height + 12}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{HtmlText.Encode(title)} of {versions.Count} versions; newest {text(newest)}, largest {text(largest)}\">"
        );
        DateTime begin = versions[0].Time;
        double span = Math.Max(1, (newest.Time - begin).TotalSeconds);
        double X(DateTime at) => Math.Clamp((at - begin).TotalSeconds / span, 0, 1) * Width;
        Line(html, versions, failures, X, top);
        Ticks(
            html,
            versions.Where(version => version.Header.Label.Kind == Engine.ConsistencyKind.Mixed).Select(version => X(version.Time)),
            "mixed"
        );
        Ticks(html, failures.Where(failure => failure >= begin).Select(X), "failed");
        html.Append(
            CultureInfo.InvariantCulture,
            $"</svg><p class=\"axis\"><span>{HtmlText.Time(begin, time)}</span><span>{HtmlText.Time(newest.Time, time)}</span></p></figure>"
        );
    }

    private void Line(
        StringBuilder html,
        IReadOnlyList<VersionEntry> versions,
        IReadOnlyList<DateTime> failures,
        Func<DateTime, double> x,
        double top
    )
    {
        html.Append("<line class=\"base\" x1=\"0\" y1=\"100\" x2=\"1000\" y2=\"100\"/><path class=\"line\" d=\"");
        int failure = 0;
        for (int i = 0; i < versions.Count; i++)
        {
            bool isGap = false;
            for (; failure < failures.Count && failures[failure] < versions[i].Time; failure++)
            {
                isGap |= i > 0 && failures[failure] > versions[i - 1].Time;
            }

            double y = Height * (1 - value(versions[i]) / top);
            string step = $"{HtmlText.Number(x(versions[i].Time))} {HtmlText.Number(y)}";
            // A version alone between two gaps is a point: a line of no length with round ends.
            html.Append(i == 0 || isGap ? $"M{step}h0" : $"L{step}");
        }

        html.Append("\"/>");
    }

    private static void Ticks(StringBuilder html, IEnumerable<double> places, string kind)
    {
        string path = string.Concat(places.Select(place => $"M{HtmlText.Number(place)} 100v8"));
        if (path.Length > 0)
        {
            html.Append(CultureInfo.InvariantCulture, $"<path class=\"tick {kind}\" d=\"{path}\"/>");
        }
    }
}
