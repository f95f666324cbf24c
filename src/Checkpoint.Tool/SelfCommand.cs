namespace ApolloCheckpoint.Tool;

/// <summary>How this very tool is started again, for the child processes it needs.</summary>
internal static class SelfCommand
{
    /// <summary>File and leading arguments: the tool's own executable, or the dotnet host and the assembly.</summary>
    public static IReadOnlyList<string> Prefix { get; } = Find();

    private static string[] Find()
    {
        string assembly = Path.Combine(AppContext.BaseDirectory, "apollo-checkpoint.dll");
        string host = Environment.ProcessPath ?? "dotnet";
        string name = Path.GetFileNameWithoutExtension(host);
        return name == "apollo-checkpoint" || !File.Exists(assembly) ? [host] : [host, assembly];
    }
}
