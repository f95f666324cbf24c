using System.Text.RegularExpressions;

namespace ApolloCheckpoint.TestKit;

/// <summary>The tests that a page of docs/ names as its proof, as `Class.Method` in backticks: a page may not name one that is not there.</summary>
public static partial class NamedTests
{
    /// <summary>What is wrong with a page: tests that do not exist, and rows of tables that name none.</summary>
    /// <param name="page">Path under the repository's root.</param>
    /// <param name="proofColumn">Heading of the column that names the tests; tables without it are not looked at.</param>
    public static IReadOnlyList<string> ProblemsOf(string page, string proofColumn = "test")
    {
        Dictionary<string, string> classes = [];
        foreach (string path in Directory.EnumerateFiles(Repository.PathOf("tests"), "*.cs", SearchOption.AllDirectories))
        {
            string text = File.ReadAllText(path);
            foreach (Match match in Classes().Matches(text))
            {
                // A class may be partial, or stand in one file with another.
                classes[match.Groups[1].Value] = classes.GetValueOrDefault(match.Groups[1].Value) + text;
            }
        }

        List<string> problems = [];
        int rows = 0;
        foreach (string row in RowsOf(File.ReadAllLines(Repository.PathOf(page)), proofColumn))
        {
            rows++;
            MatchCollection names = Names().Matches(row);
            problems.AddRange(names.Count == 0 ? [$"names no test: {row}"] : []);
            problems.AddRange(
                names.Where(name => !Exists(classes, name)).Select(name => $"there is no test {name.Groups[1]}.{name.Groups[2]}")
            );
        }

        return rows > 0 ? problems : [$"{page} has no table with a column \"{proofColumn}\""];
    }

    private static bool Exists(Dictionary<string, string> classes, Match name) =>
        classes.TryGetValue(name.Groups[1].Value, out string? text)
        && Regex.IsMatch(text, $@"\b(void|Task)\s+{Regex.Escape(name.Groups[2].Value)}\s*\(");

    private static IEnumerable<string> RowsOf(string[] lines, string proofColumn)
    {
        bool isProofTable = false;
        for (int i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith('|'))
            {
                isProofTable = false;
            }
            else if (i + 1 < lines.Length && Rule().IsMatch(lines[i + 1]))
            {
                isProofTable = lines[i].Split('|', StringSplitOptions.TrimEntries).Contains(proofColumn);
                i++;
            }
            else if (isProofTable)
            {
                yield return lines[i];
            }
        }
    }

    [GeneratedRegex(@"\bclass\s+(\w+)")]
    private static partial Regex Classes();

    [GeneratedRegex(@"`(\w+)\.(\w+)`")]
    private static partial Regex Names();

    [GeneratedRegex(@"^\|[\s:|-]+\|$")]
    private static partial Regex Rule();
}
