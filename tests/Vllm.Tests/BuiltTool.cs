using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>The tool as it was built with these tests; the python source starts it as its child.</summary>
internal static class BuiltTool
{
    private static readonly DirectoryInfo Here = new(AppContext.BaseDirectory);

    /// <summary>File, then arguments.</summary>
    internal static IReadOnlyList<string> Command { get; } =
    ["dotnet", Repository.PathOf("src", "Checkpoint.Tool", "bin", Here.Parent!.Name, Here.Name, "apollo-checkpoint.dll")];
}
