namespace ApolloCheckpoint.Tool.Tests.Port;

/// <summary>The same model and the same change through the old program and through ours: the same files, the same lines.</summary>
[Trait("Ring", "port")]
public class PortTests
{
    [SkippableTheory]
    [InlineData(1, 4096)]
    [InlineData(3, 4096)]
    [InlineData(3, 1000)]
    public void Changed_model_becomes_the_same_files_with_the_same_lines(int shards, int blockSize)
    {
        Programs.RequireOld();
        using PortPair pair = PortPair.Tiny(shards);
        pair.Train("0.1");
        (string, string)[] before = [.. PortPair.Content(pair.New)];
        AssertSame(pair.RunOld(blockSize: blockSize), pair.RunNew(blockSize: blockSize));
        Assert.NotEqual(before, PortPair.Content(pair.New));
        Assert.Equal(PortPair.Content(pair.Old), PortPair.Content(pair.New));
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void Unchanged_model_is_left_as_it_is_with_the_same_lines(int shards)
    {
        Programs.RequireOld();
        using PortPair pair = PortPair.Tiny(shards);
        (string, string)[] before = [.. PortPair.Content(pair.New)];
        ToolRun run = pair.RunNew();
        AssertSame(pair.RunOld(), run);
        Assert.EndsWith("No changes — model files are up to date\n", run.Error);
        Assert.Equal(before, PortPair.Content(pair.New));
        Assert.Equal(before, PortPair.Content(pair.Old));
    }

    [SkippableFact]
    public void Model_of_the_old_programs_own_script_goes_through_both_alike()
    {
        Programs.RequireOld();
        using PortPair pair = PortPair.Made();
        pair.Train("0.005");
        ToolRun run = pair.RunNew();
        AssertSame(pair.RunOld(), run);
        Assert.Contains("\nSynced: ", run.Error);
        Assert.Equal(PortPair.Content(pair.Old), PortPair.Content(pair.New));
    }

    [SkippableFact]
    public void Missing_handles_file_is_told_in_the_same_sentence()
    {
        Programs.RequireOld();
        using PortPair pair = PortPair.Tiny(shards: 1);
        ToolRun old = pair.RunOld(handles: "/nowhere/handles.pt");
        ToolRun ours = pair.RunNew(handles: "/nowhere/handles.pt");
        Assert.Equal((1, 11), (old.ExitCode, ours.ExitCode));
        Assert.Equal(Sentence(old), Sentence(ours));
        Assert.Equal(("", ""), (old.Out, ours.Out));
    }

    /// <summary>The old program goes through its files in random order.</summary>
    private static void AssertSame(ToolRun old, ToolRun ours)
    {
        Assert.Equal(0, old.ExitCode);
        Assert.Equal(
            (old.ExitCode, old.Out, string.Join('\n', old.Error.Split('\n').Order(StringComparer.Ordinal))),
            (ours.ExitCode, ours.Out, string.Join('\n', ours.Error.Split('\n').Order(StringComparer.Ordinal)))
        );
    }

    /// <summary>The first line, behind what the programs begin an error with.</summary>
    private static string Sentence(ToolRun run)
    {
        string line = run.Error.Split('\n')[0];
        return line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..];
    }
}
