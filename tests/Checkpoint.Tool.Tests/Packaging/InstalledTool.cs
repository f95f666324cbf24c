using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Tests.Port;

namespace ApolloCheckpoint.Tool.Tests.Packaging;

/// <summary>The package that ./build.sh pack made, installed into an empty tool path as a user installs it.</summary>
public sealed class InstalledTool : IDisposable
{
    private const string Name = "apollo-checkpoint";
    private static readonly string Packages = Repository.PathOf("artifacts", "packages");

    private readonly TempDirectory temp = new();
    private readonly Lazy<ToolRun> installation;

    public InstalledTool() => installation = new(Install);

    /// <summary>The package, or the test is skipped.</summary>
    internal static string RequirePackage()
    {
        string[] found = Directory.Exists(Packages) ? Directory.GetFiles(Packages, $"{Name}.*.nupkg") : [];
        Skip.If(found.Length == 0, "no package in artifacts/packages: ./build.sh pack makes it");
        return Assert.Single(found);
    }

    /// <summary>The version in the package's name.</summary>
    internal static string Version => Path.GetFileNameWithoutExtension(RequirePackage())[(Name.Length + 1)..];

    /// <summary>The paths of the files that the tool consists of, from its own folder.</summary>
    internal static IReadOnlyList<string> Files()
    {
        const string Folder = "tools/net10.0/any/";
        using ZipArchive package = ZipFile.OpenRead(RequirePackage());
        return [.. package.Entries.Where(entry => entry.FullName.StartsWith(Folder)).Select(entry => entry.FullName[Folder.Length..])];
    }

    /// <summary>Runs the installed tool.</summary>
    internal ToolRun Run(params string[] arguments)
    {
        RequirePackage();
        Assert.True(installation.Value.ExitCode == 0, installation.Value.ToString());
        ProcessStartInfo start = new(temp.File("tools", Name), arguments);
        // Its starter looks for .NET where the distributions put it; ours may stand elsewhere.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        return Programs.Run(start);
    }

    public void Dispose() => temp.Dispose();

    private ToolRun Install()
    {
        string[] where = ["--tool-path", temp.File("tools"), "--add-source", Packages, "--version", Version];
        ProcessStartInfo start = new("dotnet", ["tool", "install", Name, .. where]) { WorkingDirectory = temp.Path };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        return Programs.Run(start);
    }
}
