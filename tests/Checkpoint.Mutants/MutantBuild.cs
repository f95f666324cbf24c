using System.Diagnostics;
using ApolloCheckpoint.TestKit;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit.Sdk;

namespace ApolloCheckpoint.Mutants;

/// <summary>The engine built once with a switch at every guard, beside a copy of the tests, in artifacts/mutants.</summary>
internal static class MutantBuild
{
    /// <summary>Where guards are looked for: what writes to a model, and what judges whether it is whole.</summary>
    private static readonly string[] Folders = ["Journaling", "Scanning", "Storage", "Verification"];

    private static readonly string Engine = Repository.PathOf("src", "Checkpoint.Engine");
    private static readonly string Copy = Repository.PathOf("artifacts", "mutants", "Checkpoint.Engine");

    /// <summary>The folder with the tests and the engine that they run on.</summary>
    internal static string Output { get; } = Repository.PathOf("artifacts", "mutants", "bin");

    /// <summary>Where tests put what they keep.</summary>
    internal static string Scratch { get; } = Repository.PathOf("artifacts", "mutants", "tmp");

    /// <summary>Copies, switches and builds.</summary>
    /// <returns>The guards, by number from 1 on.</returns>
    internal static IReadOnlyList<Guard> Run()
    {
        List<Guard> guards = [];
        Clear(Copy);
        Clear(Scratch);
        Directory.CreateDirectory(Scratch);
        foreach (string path in Directory.EnumerateFiles(Engine, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string name = Path.GetRelativePath(Engine, path);
            string top = name.Split('/')[0];
            if (top is not ("bin" or "obj"))
            {
                string target = Path.Combine(Copy, name);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                bool isGuarded = Folders.Contains(top) && name.EndsWith(".cs", StringComparison.Ordinal);
                File.WriteAllText(target, isGuarded ? Rewrite(path, name, guards) : File.ReadAllText(path));
            }
        }

        File.WriteAllText(Path.Combine(Copy, "Guarded.cs"), Switch(guards.Count));
        Build();
        return guards;
    }

    private static string Rewrite(string path, string name, List<Guard> guards)
    {
        SyntaxNode root = CSharpSyntaxTree.ParseText(File.ReadAllText(path)).GetRoot();
        GuardRewriter rewriter = new(name, guards.Count + 1, throwsOnly: name.Contains("/Codecs/", StringComparison.Ordinal));
        string text = rewriter.Visit(root).ToFullString();
        guards.AddRange(rewriter.Guards);
        return text;
    }

    private static string Switch(int count) =>
        $$"""
            namespace ApolloCheckpoint.Engine;

            internal static class Guarded
            {
                internal static int Removed;
                internal static readonly bool[] Spoke = new bool[{{count + 1}}];

                internal static bool On(int guard)
                {
                    Spoke[guard] = true;
                    return guard != Removed;
                }

                internal static bool Off(int guard) => !On(guard);
            }
            """;

    private static void Build()
    {
        Clear(Output);
        Directory.CreateDirectory(Output);
        foreach (string path in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(Output, Path.GetRelativePath(AppContext.BaseDirectory, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(path, target);
        }

        // Null analysis and analyzers speak of the engine as it is.
        string[] arguments = ["build", Copy, "-c", "Release", "-v", "q", "-nologo", "-clp:ErrorsOnly", "-p:TreatWarningsAsErrors=false"];
        string[] quick = ["-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false", "-p:GenerateDocumentationFile=false"];
        using Process build = Process.Start(new ProcessStartInfo("dotnet", [.. arguments, .. quick]) { RedirectStandardOutput = true })!;
        string said = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        if (build.ExitCode != 0)
        {
            throw new XunitException($"the engine with switches at its guards does not build:\n{said}");
        }

        string built = Path.Combine(Copy, "bin", "Release", "net10.0", "ApolloCheckpoint.Engine.dll");
        File.Copy(built, Path.Combine(Output, Path.GetFileName(built)), overwrite: true);
    }

    private static void Clear(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
