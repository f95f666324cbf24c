using System.Globalization;

namespace ApolloCheckpoint.TestKit;

/// <summary>What the stand-in driver wrote down about its caller.</summary>
/// <param name="Findings">Rules that were broken: "double-open: block 0 was opened while it was open".</param>
/// <param name="Counts">Counts by name ("copies", "bytes"), and calls by the name of the entry point.</param>
public sealed record FakeCudaReport(IReadOnlyList<string> Findings, IReadOnlyDictionary<string, long> Counts)
{
    /// <summary>The last entry point that was made to fail, or null.</summary>
    public string? Injected { get; init; }

    /// <summary>A count; 0 when it does not stand there.</summary>
    public long this[string name] => Counts.GetValueOrDefault(name);

    /// <summary>Keys of the findings: "double-open".</summary>
    public IEnumerable<string> Keys => Findings.Select(finding => finding[..finding.IndexOf(':')]);

    /// <summary>Reads the text of a report.</summary>
    public static FakeCudaReport Parse(string text)
    {
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return new FakeCudaReport(
            [.. After("finding ")],
            lines
                .Select(line => line.Split('='))
                .Where(pair => pair.Length == 2 && long.TryParse(pair[1], CultureInfo.InvariantCulture, out _))
                .ToDictionary(pair => pair[0], pair => long.Parse(pair[1], CultureInfo.InvariantCulture), StringComparer.Ordinal)
        )
        {
            Injected = After("injected ").SingleOrDefault(),
        };

        IEnumerable<string> After(string word) =>
            lines.Where(line => line.StartsWith(word, StringComparison.Ordinal)).Select(line => line[word.Length..]);
    }

    /// <summary>Reads the file that a child wrote when it ended (FAKE_CUDA_REPORT).</summary>
    public static FakeCudaReport Read(string path) => Parse(File.ReadAllText(path));
}
