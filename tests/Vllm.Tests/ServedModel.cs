using System.Diagnostics;
using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// A copy of a tiny model, a vLLM that serves it, and a second one that reads the files afresh. Both start with the first question and
/// are shared by the tests of a class: a start is what costs.
/// </summary>
public abstract class ServedModel : IDisposable
{
    private static readonly int[][] Prompts =
    [
        [5, 6, 7, 8, 9],
        [1, 2, 3],
        [300, 17, 42, 250, 8, 99],
    ];

    private readonly TempDirectory folder = new();
    private readonly Lazy<PythonProcess> serving;
    private readonly Lazy<PythonProcess> fresh;

    /// <summary>Copies the model; nothing starts yet.</summary>
    protected ServedModel(string model)
    {
        ModelPath = folder.Folder("model");
        ModelCopy.Of(model, ModelPath);
        PythonPath = HookInstall.PythonPath(folder.Folder("site"));
        serving = new Lazy<PythonProcess>(() => Load(new PythonProcess(ExportDir, PythonPath, "serve.py")));
        fresh = new Lazy<PythonProcess>(() => new PythonProcess(folder.File("fresh"), PythonPath, "serve.py"));
    }

    /// <summary>The model directory.</summary>
    internal string ModelPath { get; }

    /// <summary>Where the serving vLLM publishes.</summary>
    internal string ExportDir => folder.File("export");

    private string PythonPath { get; }

    /// <summary>What the serving vLLM answers now.</summary>
    internal IReadOnlyList<Completion> Served() => Generate(serving.Value);

    /// <summary>What a vLLM answers that has just read the files.</summary>
    internal IReadOnlyList<Completion> Fresh() => Generate(Load(fresh.Value));

    /// <summary>Starts a trainer's script in a process of its own and waits for its answer; the server must be up.</summary>
    internal (PythonProcess Trainer, JsonElement Answer) Train(string script, params string[] arguments)
    {
        _ = serving.Value;
        PythonProcess trainer = new(ExportDir, PythonPath, script, [ExportDir, .. arguments]);
        return (trainer, trainer.Answer());
    }

    /// <summary>Syncs the serving vLLM's weights into the model directory.</summary>
    internal SyncReport Sync(Func<SyncRequest, SyncRequest>? change = null)
    {
        _ = serving.Value;
        SyncRequest request = new() { ModelDirectory = ModelPath, Handles = ExportDir };
        return Sync(change is null ? request : change(request));
    }

    /// <summary>Syncs the weights of the vLLM that read the files afresh, as it was when it read them.</summary>
    internal SyncReport SyncFresh() => Sync(new SyncRequest { ModelDirectory = ModelPath, Handles = folder.File("fresh") });

    /// <summary>A virtual environment that sees vLLM's packages, as a user's would; gives its interpreter.</summary>
    internal string VirtualEnvironment()
    {
        string environment = folder.File("venv");
        using Process venv = Process.Start(VllmSite.Python, ["-m", "venv", "--without-pip", environment]);
        venv.WaitForExit();
        Assert.Equal(0, venv.ExitCode);
        string packages = Directory.GetDirectories(Path.Combine(environment, "lib"), "python3*").Single();
        File.WriteAllText(Path.Combine(packages, "site-packages", "vllm.pth"), VllmSite.Path + "\n");
        return Path.Combine(environment, "bin", "python");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Lazy<PythonProcess> process in new[] { serving, fresh }.Where(process => process.IsValueCreated))
        {
            process.Value.Dispose();
        }

        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private static SyncReport Sync(SyncRequest request) => SyncEngine.Run(request, NoProgress.Instance, CancellationToken.None);

    private PythonProcess Load(PythonProcess process)
    {
        process.Ask(new { @do = "load", model = ModelPath });
        return process;
    }

    private static IReadOnlyList<Completion> Generate(PythonProcess process) =>
        Completion.ReadAll(
            process.Ask(
                new
                {
                    @do = "generate",
                    prompts = Prompts,
                    tokens = 12,
                }
            )
        );
}
