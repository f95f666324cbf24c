namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>Rows in columns of equal width, two blanks apart. Plain text: it reads the same on a terminal, in a pipe and in a mail.</summary>
/// <param name="rightAligned">Columns whose cells end at the right, by index.</param>
internal sealed class Table(params int[] rightAligned)
{
    private readonly List<string[]> rows = [];

    /// <summary>Adds a row; the first is the head.</summary>
    public void Add(params string[] cells) => rows.Add(cells);

    /// <summary>Writes it.</summary>
    public void WriteTo(TextWriter writer, Paint paint)
    {
        int columns = rows.Max(row => row.Length);
        int[] widths = [.. Enumerable.Range(0, columns).Select(column => rows.Max(row => column < row.Length ? row[column].Length : 0))];
        for (int i = 0; i < rows.Count; i++)
        {
            IEnumerable<string> cells = rows[i].Select((cell, column) => Pad(cell, widths[column], column));
            string line = " " + string.Join("  ", cells).TrimEnd();
            writer.WriteLine(i == 0 ? paint.Faint(line) : line);
        }
    }

    private string Pad(string cell, int width, int column) => rightAligned.Contains(column) ? cell.PadLeft(width) : cell.PadRight(width);
}
