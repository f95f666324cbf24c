using System.Globalization;
using System.Text;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>
/// The heatmap as HTML: a row of SVG a family, stretched to the width there is, its name beside it. Colours come from the style sheet,
/// so that light and dark are the browser's choice. The same numbers stand in a table that can be opened.
/// </summary>
internal static class HeatMapHtml
{
    /// <summary>Draws it.</summary>
    public static string Draw(HeatMap map, VersionEntry version)
    {
        StringBuilder html = new();
        string summary =
            $"version {map.Version}: {HtmlText.Share(version.ChangedShare)} of all elements changed, {Quantity.Size(version.Bytes)} of delta";
        html.Append(CultureInfo.InvariantCulture, $"<p class=\"quiet\">{summary}</p>");
        html.Append(
            CultureInfo.InvariantCulture,
            $"<div class=\"heat\" role=\"img\" aria-label=\"Where the model changed, {summary}. The table below has the numbers.\">"
        );
        foreach (string family in map.Families)
        {
            html.Append(CultureInfo.InvariantCulture, $"<span class=\"family\">{HtmlText.Encode(family)}</span>");
            Row(html, map, family);
        }

        Axis(html, map);
        return Legend(html.Append("</div>")).Append(Table(map)).ToString();
    }

    private static void Row(StringBuilder html, HeatMap map, string family)
    {
        html.Append(
            CultureInfo.InvariantCulture,
            $"<svg aria-hidden=\"true\" viewBox=\"0 0 {map.Layers.Count} 1\" preserveAspectRatio=\"none\">"
        );
        for (int column = 0; column < map.Layers.Count; column++)
        {
            if (map.At(family, map.Layers[column]) is { } cell)
            {
                string where = map.Layers[column] == HeatMap.NoLayer ? family : $"{family}, layer {map.Layers[column]}";
                string share = cell.Changed > 0 ? $"about {HtmlText.Share(cell.Share)} changed" : "unchanged";
                html.Append(
                    CultureInfo.InvariantCulture,
                    $"<rect class=\"h{cell.Step}\" x=\"{HtmlText.Number(column + 0.05)}\" y=\"0.06\" width=\"0.9\" height=\"0.88\"><title>{HtmlText.Encode(where)}: {share} of {Quantity.Count(cell.Elements)}</title></rect>"
                );
            }
        }

        html.Append("</svg>");
    }

    /// <summary>Under the columns: which of them is which layer.</summary>
    private static void Axis(StringBuilder html, HeatMap map)
    {
        int[] layers = [.. map.Layers.Where(layer => layer != HeatMap.NoLayer)];
        if (layers.Length > 0)
        {
            string first = map.Layers[0] == HeatMap.NoLayer ? "no layer · " : "";
            html.Append(
                CultureInfo.InvariantCulture,
                $"<span></span><span class=\"axis\"><span>{first}layer {layers[0]}</span><span>layer {layers[^1]}</span></span>"
            );
        }
    }

    private static StringBuilder Legend(StringBuilder html)
    {
        html.Append(
            "<p class=\"legend\" aria-hidden=\"true\"><span>unchanged</span><svg class=\"scale\" viewBox=\"0 0 10 1\" preserveAspectRatio=\"none\">"
        );
        for (int step = 0; step <= 9; step++)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"<rect class=\"h{step}\" x=\"{HtmlText.Number(step + 0.03)}\" y=\"0\" width=\"0.94\" height=\"1\"/>"
            );
        }

        return html.Append("</svg><span>0.01 % … 1 % … over 30 % of elements; each step three times the one before</span></p>");
    }

    private static string Table(HeatMap map)
    {
        StringBuilder html = new("<details><summary>The same as a table</summary><div class=\"scroll\"><table><thead><tr>");
        html.Append(
            "<th scope=\"col\">family<th scope=\"col\">elements<th scope=\"col\">changed, about<th scope=\"col\">most in</tr></thead><tbody>"
        );
        foreach (string family in map.Families)
        {
            HeatCell[] cells = [.. map.Row(family)];
            int most = map.Layers.MaxBy(layer => map.At(family, layer)?.Share ?? -1);
            double share = cells.Sum(cell => cell.Changed) / Math.Max(1, cells.Sum(cell => (double)cell.Elements));
            string where = most == HeatMap.NoLayer ? "no layer" : $"layer {most}";
            html.Append(
                CultureInfo.InvariantCulture,
                $"<tr><th scope=\"row\">{HtmlText.Encode(family)}<td>{Quantity.Count(cells.Sum(cell => cell.Elements))}<td>{HtmlText.Share(Math.Min(1, share))}<td>{where}, {HtmlText.Share(map.At(family, most)?.Share ?? 0)}</tr>"
            );
        }

        return html.Append("</tbody></table></div></details>").ToString();
    }
}
