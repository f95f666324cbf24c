namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>Labelled lines under a headline, their texts aligned: two spaces, the label, two spaces, the text.</summary>
internal sealed class Lines
{
    private readonly List<(string Label, string Text)> rows = [];

    /// <summary>Adds a line.</summary>
    public void Add(string label, string text) => rows.Add((label, text));

    /// <summary>Writes all of them. A text of several lines stays aligned.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="paintLabel">Colours a label that is already padded.</param>
    public void WriteTo(TextWriter writer, Func<string, string>? paintLabel = null)
    {
        int width = rows.Count == 0 ? 0 : rows.Max(row => row.Label.Length);
        string indent = new(' ', width + 4);
        foreach ((string label, string text) in rows)
        {
            string padded = label.PadRight(width);
            writer.Write("  ");
            writer.Write(paintLabel is null ? padded : paintLabel(padded));
            writer.Write("  ");
            writer.WriteLine(text.ReplaceLineEndings("\n").TrimEnd('\n').Replace("\n", "\n" + indent, StringComparison.Ordinal));
        }
    }
}
