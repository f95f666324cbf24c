using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Rendering;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Rendering;

public class SyncReportTests
{
    [Fact]
    public async Task Changed_model_is_told_in_few_lines() => await Verify(Text(Reports.Changed));

    [Fact]
    public async Task Unchanged_model_is_told_in_one_answer() => await Verify(Text(Reports.Unchanged));

    [Fact]
    public async Task Version_that_is_not_in_the_files_yet_says_so() => await Verify(Text(Reports.Unfolded));

    [Fact]
    public async Task Dry_run_says_what_would_change() => await Verify(Text(Reports.Changed with { Changed = false, DryRun = true }));

    [Fact]
    public async Task Colour_is_on_the_answer_and_the_labels_only() =>
        await Verify(Text(Reports.Unchanged, colour: true).Replace("\e", "ESC"));

    [Fact]
    public async Task Json_has_every_number()
    {
        using StringWriter writer = new() { NewLine = "\n" };
        SyncReportJson.Write(writer, Reports.Changed);
        await Verify(writer.ToString());
    }

    [Fact]
    public async Task Json_of_a_mixed_version_names_the_tensors()
    {
        using StringWriter writer = new() { NewLine = "\n" };
        SyncReportJson.Write(writer, Reports.Unfolded);
        await Verify(writer.ToString());
    }

    private static string Text(SyncReport report, bool colour = false)
    {
        using StringWriter writer = new() { NewLine = "\n" };
        SyncReportText.Write(writer, report, colour);
        return writer.ToString();
    }
}
