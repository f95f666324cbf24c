using System.Diagnostics;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// A vLLM that serves, one that reads files afresh, and transformers, shared by the tests of all families: what costs is the start of
/// their processes, not the next model in one.
/// </summary>
public sealed class VllmPair : IDisposable
{
    private readonly TempDirectory folder = new();
    private readonly Lazy<string> pythonPath;
    private readonly Lazy<PythonProcess> serving;
    private readonly Lazy<PythonProcess> fresh;
    private readonly Lazy<PythonProcess> reference;
    private readonly Lazy<string> environment;

    /// <summary>Nothing starts before the first question.</summary>
    public VllmPair()
    {
        pythonPath = new Lazy<string>(() => HookInstall.PythonPath(folder.Folder("site")));
        serving = new Lazy<PythonProcess>(() => new PythonProcess(ExportDir, PythonPath, "serve.py"));
        fresh = new Lazy<PythonProcess>(() => new PythonProcess(FreshExportDir, PythonPath, "serve.py"));
        reference = new Lazy<PythonProcess>(() => new PythonProcess(folder.File("none"), PythonPath, "reference.py"));
        environment = new Lazy<string>(MakeEnvironment);
    }

    /// <summary>Where the serving vLLM publishes.</summary>
    internal string ExportDir => folder.File("export");

    /// <summary>Where the one that reads afresh publishes.</summary>
    internal string FreshExportDir => folder.File("fresh");

    /// <summary>vLLM, the hook, and the scripts of the tests.</summary>
    internal string PythonPath => pythonPath.Value;

    /// <summary>The serving vLLM.</summary>
    internal PythonProcess Serving => serving.Value;

    /// <summary>The one that reads afresh.</summary>
    internal PythonProcess Fresh => fresh.Value;

    /// <summary>transformers.</summary>
    internal PythonProcess Reference => reference.Value;

    /// <summary>A virtual environment that sees vLLM's packages, as a user's would: its interpreter.</summary>
    internal string Environment => environment.Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Lazy<PythonProcess> process in new[] { serving, fresh, reference }.Where(process => process.IsValueCreated))
        {
            process.Value.Dispose();
        }

        folder.Dispose();
    }

    private string MakeEnvironment()
    {
        string place = folder.File("venv");
        using Process venv = Process.Start(VllmSite.Python, ["-m", "venv", "--without-pip", place]);
        venv.WaitForExit();
        Assert.Equal(0, venv.ExitCode);
        string packages = Directory.GetDirectories(Path.Combine(place, "lib"), "python3*").Single();
        File.WriteAllText(Path.Combine(packages, "site-packages", "vllm.pth"), VllmSite.Path + "\n");
        return Path.Combine(place, "bin", "python");
    }
}
