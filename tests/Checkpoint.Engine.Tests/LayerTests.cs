using System.Text.RegularExpressions;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests;

/// <summary>Reads the source of the engine and holds its layers: who may use whom, and where the few dangerous things stand.</summary>
public partial class LayerTests
{
    private static readonly string Engine = Repository.PathOf("src", "Checkpoint.Engine");

    /// <summary>Folder → the folders it may use. What it may use, those may use, too.</summary>
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Storage"] = [],
        ["Model"] = ["Storage"],
        ["Weights"] = ["Model"],
        ["Planning"] = ["Weights"],
        ["Diffing"] = ["Planning"],
        ["Journaling"] = ["Diffing"],
        ["Scanning"] = ["Journaling"],
        ["Verification"] = ["Scanning"],
    };

    private static readonly string[] MayBeUnsafe = ["Storage/", "Weights/Cuda/", "Weights/Python/", "Journaling/Codecs/"];

    /// <summary>The body of a child process: it reports on the standard error of its own.</summary>
    private const string OwnProcess = "Weights/Python/PythonHostMain.cs";

    [Fact]
    public void Every_folder_of_the_engine_uses_only_layers_below_it() =>
        Assert.DoesNotContain(
            Sources().SelectMany(source => Usings().Matches(source.Text).Select(use => (source.Path, Used: use.Groups[1].Value))),
            row => row.Path.Contains('/') && !IsAllowed(row.Path.Split('/')[0], row.Used)
        );

    [Fact]
    public void Every_folder_of_the_engine_is_in_the_table_of_layers() =>
        Assert.DoesNotContain(Sources(), source => source.Path.Contains('/') && !MayUse.ContainsKey(source.Path.Split('/')[0]));

    [Fact]
    public void Namespaces_follow_the_folders() =>
        Assert.Empty(
            Sources()
                .Where(source => !source.Text.Contains($"namespace {NamespaceOf(source.Path)};", StringComparison.Ordinal))
                .Select(source => source.Path)
        );

    [Fact]
    public void Engine_knows_no_console_no_web_and_no_other_program() =>
        Assert.Empty(
            Sources()
                .Where(source => source.Path != OwnProcess && ForbiddenNames().IsMatch(WithoutComments(source.Text)))
                .Select(source => (source.Path, ForbiddenNames().Match(WithoutComments(source.Text)).Value))
        );

    [Fact]
    public void Engine_references_no_package_of_the_layers_above()
    {
        string[] references = [.. typeof(SyncReport).Assembly.GetReferencedAssemblies().Select(name => name.Name ?? "")];
        Assert.DoesNotContain(
            references,
            name => Regex.IsMatch(name, "^(CliWrap|Spectre|System.CommandLine|Microsoft.AspNetCore|Aspire|System.Net.Http)")
        );
    }

    [Fact]
    public void Unsafe_code_stands_only_where_memory_is_not_ours() =>
        Assert.DoesNotContain(
            Sources().Where(source => UnsafeWord().IsMatch(WithoutComments(source.Text))).Select(source => source.Path),
            path => !MayBeUnsafe.Any(folder => path.StartsWith(folder, StringComparison.Ordinal))
        );

    private static IEnumerable<(string Path, string Text)> Sources() =>
        Directory
            .EnumerateFiles(Engine, "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Engine, path).Replace('\\', '/'))
            .Where(path => !path.StartsWith("bin/", StringComparison.Ordinal) && !path.StartsWith("obj/", StringComparison.Ordinal))
            .Select(path => (path, File.ReadAllText(Path.Combine(Engine, path))));

    private static bool IsAllowed(string folder, string used) =>
        used == folder || MayUse.GetValueOrDefault(folder, []).Any(below => IsAllowed(below, used));

    private static string NamespaceOf(string path) => string.Join('.', [typeof(SyncReport).Namespace, .. path.Split('/')[..^1]]);

    private static string WithoutComments(string text) => Comments().Replace(Texts().Replace(text, "\"\""), "");

    [GeneratedRegex(@"^(?:global )?using (?:static |\w+ = )?ApolloCheckpoint\.Engine\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex Usings();

    [GeneratedRegex(@"""(?:[^""\\\n]|\\.)*""")]
    private static partial Regex Texts();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"\bConsole\.|\bCliWrap\b|\bAspNetCore\b|\bAspire\b|\bSpectre\b|\bHttpClient\b")]
    private static partial Regex ForbiddenNames();

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex UnsafeWord();
}
