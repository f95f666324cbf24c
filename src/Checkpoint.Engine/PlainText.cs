using System.Globalization;

namespace ApolloCheckpoint.Engine;

/// <summary>Text that may quote a hostile file, made fit for a terminal and a log: it moves no cursor, turns no line around, and ends.</summary>
internal static class PlainText
{
    /// <summary>Longest text, characters: room for a path of the file system and what is said of it.</summary>
    internal const int MaxLength = 1000;

    /// <summary>The text, with a question mark for each character that is an order instead of a sign.</summary>
    internal static string Of(string text)
    {
        string shown = text.Length > MaxLength ? string.Concat(text.AsSpan(0, MaxLength), "…") : text;
        return shown.Any(IsOrder) ? string.Concat(shown.Select(c => IsOrder(c) ? '?' : c)) : shown;
    }

    private static bool IsOrder(char c) =>
        CharUnicodeInfo.GetUnicodeCategory(c)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
}
