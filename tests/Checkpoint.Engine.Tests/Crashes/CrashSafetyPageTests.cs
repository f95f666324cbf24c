using System.Text.RegularExpressions;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>The pages on crashes name tests and classes that exist.</summary>
public sealed partial class CrashSafetyPageTests
{
    [Theory]
    [InlineData("crash-safety.md")]
    [InlineData("recovery.md")]
    public void Every_test_that_the_page_names_exists(string page)
    {
        string sources = string.Join('\n', SourceFiles("tests").Concat(SourceFiles("src")).Select(File.ReadAllText));
        string text = File.ReadAllText(Repository.PathOf("docs", page));
        string[] tests = [.. TestName().Matches(text).Select(match => match.Groups[1].Value).Distinct()];
        Assert.NotEmpty(tests);
        Assert.DoesNotContain(tests, name => !sources.Contains($" {name}(", StringComparison.Ordinal));
        string[] types = [.. TypeName().Matches(text).Select(match => match.Groups[1].Value).Distinct()];
        Assert.DoesNotContain(types, name => !Regex.IsMatch(sources, $@"\b(class|record|interface) {name}\b"));
    }

    private static IEnumerable<string> SourceFiles(string folder) =>
        Directory
            .EnumerateFiles(Repository.PathOf(folder), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal));

    /// <summary>`A_sentence_in_this_form`.</summary>
    [GeneratedRegex(@"`([A-Z][a-z0-9]*(?:_\w+){2,})`")]
    private static partial Regex TestName();

    /// <summary>`Type` or `Type.Method`.</summary>
    [GeneratedRegex(@"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:\.\w+)?`")]
    private static partial Regex TypeName();
}
