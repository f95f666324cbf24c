using System.Text.Json;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>A sharded model behind <c>vllm serve</c>, from the first question on; it can be killed and started again in the same folder.</summary>
public sealed class ServedByHttp(VllmPair vllm) : IDisposable
{
    private static readonly int[][] Prompts =
    [
        [5, 6, 7, 8, 9],
        [300, 17, 42, 250, 8, 99],
    ];

    private readonly TempDirectory folder = new();
    private VllmServer? server;

    /// <summary>The model directory.</summary>
    internal string ModelPath { get; private set; } = "";

    /// <summary>Where the server publishes.</summary>
    internal string ExportDir => folder.File("export");

    /// <summary>The server, started if need be.</summary>
    internal VllmServer Server
    {
        get
        {
            if (ModelPath.Length == 0)
            {
                ModelPath = folder.Folder("model");
                ModelCopy.Of("llama-untied-sharded", ModelPath);
            }

            return server ??= new VllmServer(ModelPath, ExportDir, vllm.PythonPath);
        }
    }

    /// <summary>What the server answers now.</summary>
    internal IReadOnlyList<string> Answers() => Server.Complete(Prompts, 12);

    /// <summary>What a vLLM in another process answers that has just read the files.</summary>
    internal IReadOnlyList<string> FreshAnswers()
    {
        vllm.Fresh.Ask(new { @do = "load", model = ModelPath });
        JsonElement answer = vllm.Fresh.Ask(
            new
            {
                @do = "generate",
                prompts = Prompts,
                tokens = 12,
            }
        );
        return [.. Completion.ReadAll(answer).Select(completion => completion.Tokens.Replace(" ", ""))];
    }

    /// <summary>Starts a trainer and waits for its first answer.</summary>
    internal PythonProcess Train(string script, params string[] arguments)
    {
        _ = Server;
        PythonProcess trainer = new(ExportDir, vllm.PythonPath, script, [ExportDir, .. arguments]);
        trainer.Answer();
        return trainer;
    }

    /// <summary>Kills the server; the next question starts another one in the same folder, at once.</summary>
    internal void KillServer()
    {
        server?.Kill();
        server?.Dispose();
        server = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        server?.Dispose();
        folder.Dispose();
    }
}
