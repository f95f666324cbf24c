using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// The hook as pip would install it, without pip: its sources on PYTHONPATH and the metadata that lets vLLM find the plugin.
/// </summary>
internal static class HookInstall
{
    private static readonly string Sources = Repository.PathOf("python", "apollo-vllm", "src");

    /// <summary>Writes the metadata into a folder and gives the PYTHONPATH of vLLM with the hook.</summary>
    internal static string PythonPath(string folder)
    {
        string metadata = Directory.CreateDirectory(Path.Combine(folder, "apollo_vllm-0.1.0.dist-info")).FullName;
        File.WriteAllText(Path.Combine(metadata, "METADATA"), "Metadata-Version: 2.1\nName: apollo-vllm\nVersion: 0.1.0\n");
        File.WriteAllText(Path.Combine(metadata, "entry_points.txt"), EntryPoints());
        return string.Join(':', VllmSite.Path, Sources, folder);
    }

    /// <summary>The entry points of pyproject.toml, in the words of an installed package.</summary>
    private static string EntryPoints()
    {
        const string Section = "[project.entry-points.\"vllm.general_plugins\"]";
        string[] lines = File.ReadAllLines(Repository.PathOf("python", "apollo-vllm", "pyproject.toml"));
        IEnumerable<string> entries = lines.SkipWhile(line => line != Section).Skip(1).TakeWhile(line => line.Contains('='));
        return $"[vllm.general_plugins]\n{string.Join('\n', entries).Replace("\"", "")}\n";
    }
}
