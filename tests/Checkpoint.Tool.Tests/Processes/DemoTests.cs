namespace ApolloCheckpoint.Tool.Tests.Processes;

public class DemoTests
{
    [Fact]
    public void Demo_checks_its_claims_and_leaves_nothing_behind()
    {
        ToolRun run = ToolProcess.Run("demo");
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("NOT SO", run.Out);
        Assert.Contains("nothing is left behind", run.Out);
        Assert.Contains("is restored to a folder", run.Out);
    }
}
