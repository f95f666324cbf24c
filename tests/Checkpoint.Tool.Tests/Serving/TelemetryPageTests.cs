using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Serving;

namespace ApolloCheckpoint.Tool.Tests.Serving;

/// <summary>docs/telemetry.md and the code name the same things.</summary>
public partial class TelemetryPageTests
{
    private static readonly string Page = File.ReadAllText(Repository.PathOf("docs", "telemetry.md"));

    [Fact]
    public void Page_lists_every_span()
    {
        IEnumerable<string> inCode = Sources().SelectMany(text => Span().Matches(text)).Select(match => match.Groups[1].Value);
        Assert.Equal(
            inCode.Where(name => !name.EndsWith('.')).Distinct().Order(StringComparer.Ordinal),
            Rows("Spans")
                .SelectMany(row => Names().Matches(row[0]).Select(match => match.Groups[1].Value))
                .Where(name => !name.StartsWith("apollo.", StringComparison.Ordinal) && !IsComposed(name) && name != "error.type")
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Page_lists_every_metric_with_its_kind_and_unit()
    {
        using MeterListener listener = new();
        using EngineMetrics metrics = new(() => throw new InvalidOperationException("nobody collects"), TimeProvider.System);
        Meter meter = metrics.Meter;
        List<string> mine = [];
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
            {
                mine.Add($"{instrument.Name} {Kind(instrument)} {instrument.Unit}");
            }
        };
        listener.Start();
        Assert.Equal(
            mine.Order(StringComparer.Ordinal),
            Rows("Metrics").Select(row => $"{row[0].Trim('`')} {row[1]} {row[2]}").Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Page_lists_every_log_event_with_its_id_and_level()
    {
        IEnumerable<string> inCode = Sources()
            .SelectMany(text => Event().Matches(text))
            .Select(match => $"{match.Groups[1].Value} {match.Groups[3].Value} {match.Groups[2].Value.ToLowerInvariant()}");
        Assert.Equal(
            inCode.Order(StringComparer.Ordinal),
            Rows("Logs").Select(row => $"{row[0]} {row[1].Trim('`')} {row[2]}").Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Every_attribute_that_a_span_is_given_is_on_the_page() =>
        Assert.DoesNotContain(
            Sources().SelectMany(text => Tag().Matches(text)).Select(match => match.Groups[1].Value),
            name => !Page.Contains($"`{name}`", StringComparison.Ordinal)
        );

    /// <summary>Made of two parts in the code: "offsite." and the task.</summary>
    private static bool IsComposed(string name) => name is "offsite.copy" or "offsite.deltas" or "offsite.drill";

    private static string Kind(Instrument instrument) =>
        instrument.GetType().Name switch
        {
            var name when name.StartsWith("Counter", StringComparison.Ordinal) => "counter",
            var name when name.StartsWith("Histogram", StringComparison.Ordinal) => "histogram",
            _ => "gauge",
        };

    /// <summary>The rows of the tables under a heading, without their heads.</summary>
    private static IEnumerable<string[]> Rows(string heading)
    {
        string section = Page.Split($"\n## {heading}\n")[1].Split("\n## ")[0];
        return section
            .Split('\n')
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal) || Regex.IsMatch(line, @"^\| \d"))
            .Select(line => line.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries));
    }

    private static IEnumerable<string> Sources() =>
        Directory
            .EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal))
            .Select(File.ReadAllText);

    [GeneratedRegex(@"(?:StartActivity|\bStage)\(\s*""([a-z_.]+)""")]
    private static partial Regex Span();

    [GeneratedRegex(@"`([a-z_.]+)`")]
    private static partial Regex Names();

    [GeneratedRegex(@"LoggerMessage\(\s*(\d+),\s*LogLevel\.(\w+),[^]]*?EventName = ""([a-z_.]+)""", RegexOptions.Singleline)]
    private static partial Regex Event();

    [GeneratedRegex(@"SetTag\(""([a-z_.]+)""")]
    private static partial Regex Tag();
}
