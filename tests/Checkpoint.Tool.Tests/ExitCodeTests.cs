using System.Globalization;
using System.Text.RegularExpressions;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Tool.Tests;

public class ExitCodeTests
{
    [Fact]
    public void Page_lists_exactly_the_codes_with_their_names()
    {
        string page = File.ReadAllText(Repository.PathOf("docs", "exit-codes.md"));
        IEnumerable<(int, string)> documented = Regex
            .Matches(page, @"^\| (\d+) \| (\w+) \|", RegexOptions.Multiline)
            .Select(row => (int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture), row.Groups[2].Value));
        Assert.Equal(Enum.GetValues<ExitCode>().Select(code => ((int)code, code.ToString())), documented);
    }

    [Fact]
    public void Every_error_of_the_engine_has_a_documented_exit_code()
    {
        int[] undocumented =
        [
            .. Enum.GetValues<CheckpointError>().Select(error => (int)error / 100).Where(code => !Enum.IsDefined((ExitCode)code)),
        ];
        Assert.Empty(undocumented);
    }

    [Fact]
    public void Numbers_are_the_documented_ones() =>
        Assert.Equal([0, 1, 2, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 130], Enum.GetValues<ExitCode>().Select(code => (int)code));
}
