using System.CommandLine;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Commands;

public class HelpTests
{
    /// <summary>Every verb that the tool lists.</summary>
    public static TheoryData<string> Verbs => [.. Root().Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name)];

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Help_of_a_verb(string verb)
    {
        ToolRun run = ToolRun.Run(verb, "--help");
        Assert.Equal(0, run.ExitCode);
        await Verify(run.Out).UseParameters(verb);
    }

    [Fact]
    public async Task Help_of_the_tool() => await Verify(ToolRun.Run("--help").ToString());

    [Fact]
    public void No_argument_shows_the_help_and_is_a_usage_error()
    {
        ToolRun run = ToolRun.Run();
        Assert.Equal((2, ""), (run.ExitCode, run.Out));
        Assert.Equal(ToolRun.Run("--help").Out, run.Error);
    }

    private static Command Root() =>
        CommandLine.Build(
            new ToolContext(new ToolConsole { Out = TextWriter.Null, Error = TextWriter.Null }, (_, _, _) => Reports.Changed, default)
        );
}
