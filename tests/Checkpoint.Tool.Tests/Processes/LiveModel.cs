using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Demo;

namespace ApolloCheckpoint.Tool.Tests.Processes;

/// <summary>A tiny model and its live copy, published by this very process.</summary>
internal sealed class LiveModel : IDisposable
{
    private readonly TempDirectory temp = new();
    private DemoProducer producer;

    public LiveModel()
    {
        TinyModel.Write(Path, TinyModel.Small, shards: 2);
        producer = Start();
    }

    /// <summary>The model directory.</summary>
    public string Path => temp.File("model");

    /// <summary>The handles directory.</summary>
    public string Handles => temp.File("handles");

    /// <summary>A path beside the model.</summary>
    public string Beside(string name) => temp.File(name);

    /// <summary>One step of training.</summary>
    public void Train() => producer.Step(CancellationToken.None);

    /// <summary>Whether the files hold what is live.</summary>
    public bool IsSynced => ModelWitness.HoldsWhatIsLive(Path, System.IO.Path.Combine(Handles, DemoFolder.MemoryName));

    /// <summary>SHA-256 over the files.</summary>
    public string Digest => ModelWitness.Digest(Path);

    /// <summary>Runs a verb on it as a process.</summary>
    public ToolRun Run(string verb, params string[] options) => ToolProcess.Run(Arguments(verb, options));

    /// <summary>Starts a sync as a process.</summary>
    public ToolProcess StartSync(params string[] options) => ToolProcess.Start(Arguments("sync", options));

    /// <summary>Ends the producer: its handles are gone.</summary>
    public void StopProducer() => producer.Dispose();

    /// <summary>Replaces the producer by one that loads the files as they are now.</summary>
    public void RestartProducer()
    {
        producer.Dispose();
        producer = Start();
    }

    public void Dispose()
    {
        producer.Dispose();
        temp.Dispose();
    }

    /// <summary>The command line of a verb on it.</summary>
    public string[] Arguments(string verb, params string[] options)
    {
        string[] source = verb is "sync" or "plan" or "doctor" or "watch" ? ["--handles", Handles] : [];
        return [verb, "--model-dir", Path, .. source, .. options];
    }

    private DemoProducer Start() => DemoProducer.Start(Path, Handles, 0.01, CancellationToken.None);
}
