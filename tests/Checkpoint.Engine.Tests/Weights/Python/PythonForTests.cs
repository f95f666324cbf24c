using ApolloCheckpoint.Engine.Weights.Python;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Python;

/// <summary>The Python with torch that tests embed, and the tool that embeds it.</summary>
internal static class PythonForTests
{
    private static readonly Lazy<(string? Path, string Why)> Found = new(Search);

    /// <summary>The interpreter; skips the test where no Python with torch can be embedded.</summary>
    internal static string Require()
    {
        Skip.If(Found.Value.Path is null, Found.Value.Why);
        return Found.Value.Path!;
    }

    /// <summary>The built tool, of the same configuration as these tests.</summary>
    internal static IReadOnlyList<string> ToolCommand { get; } =
    [
        "dotnet",
        Repository.PathOf(
            "src",
            "Checkpoint.Tool",
            "bin",
            new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name,
            new DirectoryInfo(AppContext.BaseDirectory).Name,
            "apollo-checkpoint.dll"
        ),
    ];

    /// <summary>A request to the python source.</summary>
    internal static SyncRequest Request(string handles, bool trust, string? python = null) =>
        new()
        {
            ModelDirectory = "/nowhere",
            Handles = handles,
            Source = SourceKind.Python,
            Python = python ?? Require(),
            TrustPickle = trust,
            ToolCommand = ToolCommand,
        };

    /// <summary>Opens the source.</summary>
    internal static PythonWeightSource Open(string handles, bool trust) => PythonWeightSource.Open(Request(handles, trust), default);

    /// <summary>The failure that opening ends in.</summary>
    internal static CheckpointException Refused(SyncRequest request) =>
        Assert.Throws<CheckpointException>(() => PythonWeightSource.Open(request, default).Dispose());

    private static (string?, string) Search()
    {
        string why = "no Python";
        foreach (string? candidate in new[] { Environment.GetEnvironmentVariable("APOLLO_TEST_PYTHON"), "/usr/bin/python3", "python3" })
        {
            try
            {
                if (candidate is not null)
                {
                    return (PythonInterpreter.Find(candidate, default).Executable, "");
                }
            }
            catch (CheckpointException e)
            {
                why = e.Message;
            }
        }

        return (null, why);
    }
}
