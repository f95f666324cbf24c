using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>A tiny model, served by a vLLM of its own on several ranks.</summary>
public abstract class ServedRanks(VllmPair vllm, string model) : ServedModel(vllm, model)
{
    private readonly TempDirectory folder = new();
    private PythonProcess? process;

    /// <inheritdoc/>
    internal override string Trainer => "train_copy.py";

    /// <inheritdoc/>
    private protected override string ExportDir => folder.File("export");

    /// <summary>Whether the engine core runs in a process of its own, beside its workers.</summary>
    private protected virtual bool IsCoreApart => false;

    /// <inheritdoc/>
    public override void Dispose()
    {
        process?.EndGently();
        process?.Dispose();
        folder.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected override PythonProcess StartServing() =>
        process ??= new PythonProcess(
            ExportDir,
            PythonPath,
            "serve.py",
            new Dictionary<string, string>
            {
                ["VLLM_ENABLE_V1_MULTIPROCESSING"] = IsCoreApart ? "1" : "0",
                // Imports once, not once a process.
                ["VLLM_WORKER_MULTIPROCESSING_METHOD"] = "fork",
                // Two workers on a machine of one NUMA node.
                ["VLLM_CPU_OMP_THREADS_BIND"] = "nobind",
            },
            []
        );
}
