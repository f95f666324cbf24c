using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>The pictures of versions that were looked at lately. A delta is written once, so its picture is true as long as the file is the same.</summary>
internal sealed class HeatMapCache(ModelView view)
{
    private const int Most = 32;
    private readonly Lock gate = new();
    private readonly LinkedList<(VersionEntry Version, string Html)> kept = new();

    /// <summary>The picture of a version as HTML; a sentence where it cannot be made.</summary>
    public string Html(VersionEntry version)
    {
        lock (gate)
        {
            LinkedListNode<(VersionEntry Version, string Html)>? found = kept.First;
            while (found is not null && found.Value.Version != version)
            {
                found = found.Next;
            }

            if (found is not null)
            {
                kept.Remove(found);
                kept.AddFirst(found);
                return found.Value.Html;
            }

            string html = Draw(version);
            kept.AddFirst((version, html));
            while (kept.Count > Most)
            {
                kept.RemoveLast();
            }

            return html;
        }
    }

    private string Draw(VersionEntry version)
    {
        try
        {
            return view.TryOpenModel() is { } model
                ? HeatMapHtml.Draw(HeatMap.Read(view.Paths.Delta(version.Header.Version), model.Layout), version)
                : HtmlText.Paragraph("The model's files cannot be read now.");
        }
        catch (CheckpointException failure)
        {
            return HtmlText.Paragraph(failure.Message);
        }
    }
}
