using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Rendering;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Rendering;

public class ClassicReportTests
{
    [Fact]
    public async Task Changed_model_is_told_in_the_old_words() => await Verify(Sync(Reports.Changed));

    [Fact]
    public async Task Unchanged_model_is_told_in_the_old_words() => await Verify(Sync(Reports.Unchanged));

    /// <summary>Expected values come from Rust 1.63 and later: <c>format!("{:.1}", 0.25)</c> and so on.</summary>
    [Theory]
    [InlineData(0.25, 1, "0.2")]
    [InlineData(0.75, 1, "0.8")]
    [InlineData(0.15, 1, "0.1")]
    [InlineData(0.35, 1, "0.3")]
    [InlineData(12.0625, 3, "12.062")]
    [InlineData(12.1875, 3, "12.188")]
    [InlineData(0, 1, "0.0")]
    [InlineData(52400, 1, "52400.0")]
    public void Numbers_are_rounded_as_rust_rounds_them(double value, int digits, string expected) =>
        Assert.Equal(expected, ClassicReport.Fixed(value, digits));

    private static string Sync(SyncReport report)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        ToolConsole console = new() { Out = output, Error = error };
        ClassicReport.Begin(console);
        ClassicReport.Write(console, report);
        return $"--- stdout\n{output}--- stderr\n{error}";
    }
}
