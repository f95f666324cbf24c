using ApolloCheckpoint.Tool.Tests.Port;
using ApolloCheckpoint.Tool.Tests.Processes;

namespace ApolloCheckpoint.Tool.Tests.Packaging;

/// <summary>What a user gets from <c>dotnet tool install</c>.</summary>
[Trait("Ring", "package")]
public sealed class PackageTests(InstalledTool tool) : IClassFixture<InstalledTool>
{
    [SkippableFact]
    public void Installed_tool_says_its_version()
    {
        ToolRun run = tool.Run("--version");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith(InstalledTool.Version.Split('-')[0], run.Out);
    }

    [SkippableFact]
    public void Installed_tool_syncs()
    {
        InstalledTool.RequirePackage();
        using LiveModel model = new();
        model.Train();
        ToolRun run = tool.Run(model.Arguments("sync"));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("version 1 · ", run.Out);
        Assert.True(model.IsSynced);
    }

    /// <summary>Its child process is the installed tool itself, so this shows that a tool finds itself and pythonnet.</summary>
    [SkippableFact]
    public void Installed_tool_runs_the_python_source()
    {
        InstalledTool.RequirePackage();
        using PortPair pair = PortPair.Tiny(shards: 2);
        ToolRun run = tool.Run(pair.NewArguments());
        Assert.Equal((0, "Dumped 4 tensors, 0.0 GB\n"), (run.ExitCode, run.Out));
        Assert.EndsWith("No changes — model files are up to date\n", run.Error);
    }

    [SkippableFact]
    public void Package_holds_what_the_tool_needs_and_nothing_of_the_tests()
    {
        IReadOnlyList<string> files = InstalledTool.Files();
        Assert.Superset(
            new HashSet<string> { "apollo-checkpoint.dll", "ApolloCheckpoint.Engine.dll", "Python.Runtime.dll", "DotnetToolSettings.xml" },
            files.ToHashSet()
        );
        string[] foreign = ["test", "xunit", "verify", "benchmark", "analyzer", "aspire"];
        Assert.DoesNotContain(files, file => foreign.Any(word => file.Contains(word, StringComparison.OrdinalIgnoreCase)));
        Assert.Equal([".dll", ".json", ".pdb", ".xml"], files.Select(Path.GetExtension).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(["DotnetToolSettings.xml"], files.Where(file => file.EndsWith(".xml", StringComparison.Ordinal)));
    }
}
