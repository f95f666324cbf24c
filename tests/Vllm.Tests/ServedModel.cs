using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>A copy of a tiny model, served by the shared vLLM from the first question on. Its tests share it.</summary>
public abstract class ServedModel : IDisposable
{
    private static readonly int[][] Prompts =
    [
        [5, 6, 7, 8, 9],
        [1, 2, 3],
        [300, 17, 42, 250, 8, 99],
    ];

    private readonly TempDirectory folder = new();
    private readonly VllmPair vllm;
    private readonly Lazy<PythonProcess> serving;

    /// <summary>Copies the model; nothing starts yet.</summary>
    protected ServedModel(VllmPair vllm, string model)
    {
        this.vllm = vllm;
        ModelPath = folder.Folder("model");
        ModelCopy.Of(model, ModelPath);
        serving = new Lazy<PythonProcess>(() => Load(StartServing(), Options));
    }

    /// <summary>The model directory.</summary>
    internal string ModelPath { get; }

    /// <summary>A virtual environment with vLLM's packages.</summary>
    internal string Environment => vllm.Environment;

    /// <summary>The script that trains this model: on the served memory itself where the trainer's model has the same tensors.</summary>
    internal virtual string Trainer => "train.py";

    /// <summary>Where the serving vLLM publishes.</summary>
    private protected virtual string ExportDir => vllm.ExportDir;

    /// <summary>What the serving vLLM is started with, beside the model.</summary>
    private protected virtual object Options => new { };

    /// <summary>vLLM, the hook, and the scripts of the tests.</summary>
    private protected string PythonPath => vllm.PythonPath;

    /// <summary>The process that serves.</summary>
    private protected virtual PythonProcess StartServing() => vllm.Serving;

    /// <summary>What the serving vLLM answers now.</summary>
    internal IReadOnlyList<Completion> Served() => Generate(serving.Value);

    /// <summary>What a vLLM answers that has just read the files.</summary>
    internal IReadOnlyList<Completion> Fresh() => Generate(Load(vllm.Fresh, new { }));

    /// <summary>Log-probabilities that transformers, having just read the files, gives to a server's answers.</summary>
    internal ReferenceScores Reference(IReadOnlyList<Completion> answers) =>
        ReferenceScores.Read(
            vllm.Reference.Ask(
                new
                {
                    model = ModelPath,
                    prompts = Prompts,
                    tokens = answers.Select(answer => JsonDocument.Parse(answer.Tokens).RootElement),
                }
            )
        );

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
    internal SyncReport SyncFresh() => Sync(new SyncRequest { ModelDirectory = ModelPath, Handles = vllm.FreshExportDir });

    /// <summary>Asks all ranks of the serving vLLM.</summary>
    internal JsonElement Rpc(string method) => serving.Value.Ask(new { @do = "rpc", method }).GetProperty("answers");

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private static SyncReport Sync(SyncRequest request) => SyncEngine.Run(request, NoProgress.Instance, CancellationToken.None);

    private PythonProcess Load(PythonProcess process, object options)
    {
        process.Ask(
            new
            {
                @do = "load",
                model = ModelPath,
                options,
            }
        );
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
