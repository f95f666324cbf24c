using System.Diagnostics;
using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Demo;

/// <summary>The steps of the demo, in order. Everything happens in one temporary folder and in shared memory, and goes at the end.</summary>
internal sealed class DemoRun : IDisposable
{
    private const string MissingTensor = "model.layers.3.self_attn.k_proj.weight";
    private readonly Story story;
    private readonly CancellationToken cancel;
    private readonly string root = Directory.CreateTempSubdirectory("apollo-demo-").FullName;
    private readonly string handles;
    private readonly Dice dice = new((ulong)Environment.TickCount64);
    private Process? producer;

    private DemoRun(Story story, long modelBytes, CancellationToken cancel)
    {
        this.story = story;
        this.cancel = cancel;
        handles = DemoFolder.DefaultPath(modelBytes);
        Model = Path.Combine(root, "model");
    }

    private string Model { get; }

    private string Memory => Path.Combine(handles, DemoFolder.MemoryName);

    /// <summary>Tells the whole story.</summary>
    public static void Tell(Story story, CancellationToken cancel)
    {
        using DemoRun run = new(story, modelBytes: 64 << 20, cancel);
        Action[] steps = [run.LoadModel, run.SyncNothing, run.TrainAndSync, run.KillAndRecover, run.GoBack, run.RefuseMismatch];
        foreach (Action step in steps)
        {
            cancel.ThrowIfCancellationRequested();
            step();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        StopProducer();
        if (Directory.Exists(handles))
        {
            Directory.Delete(handles, recursive: true);
        }

        Directory.Delete(root, recursive: true);
    }

    private void LoadModel()
    {
        story.Step("A model is loaded into shared memory, as vLLM would hold it on a GPU.");
        long bytes = DemoModel.Write(Model, cancel);
        producer = ToolChild.Start(["demo-producer", "--model-dir", Model, "--handles", handles, "--on-request"], withInput: true);
        string loaded = producer.StandardOutput.ReadLine() ?? throw new InvalidOperationException(producer.StandardError.ReadToEnd());
        producer.StandardOutput.ReadLine();
        producer.StandardOutput.ReadLine();
        story.Say($"{Quantity.Size(bytes)} of bf16 weights in two safetensors files; the producer is process {producer.Id}.");
        story.Say(
            $"Its q, k and v are one parameter, and so are gate and up: {loaded.Split(" in ")[^1].Split(" from ")[0]} for the files' tensors."
        );
        story.Claim(ModelWitness.HoldsWhatIsLive(Model, Memory), "memory and files are equal, byte by byte");
    }

    private void SyncNothing()
    {
        story.Step("Nothing was trained yet, so the first sync finds nothing.");
        string before = ModelWitness.Digest(Model);
        story.Claim(
            Tool("sync", "--handles", handles) == 0 && ModelWitness.Digest(Model) == before,
            "exit code 0, and no file was touched"
        );
    }

    private void TrainAndSync()
    {
        story.Step("Training changes scattered weights, in memory only. A sync brings them into the model's own files.");
        Train();
        story.Claim(!ModelWitness.HoldsWhatIsLive(Model, Memory), "before the sync, the newest weights exist nowhere but in memory");
        bool done = Tool("sync", "--handles", handles) == 0;
        story.Claim(
            done && ModelWitness.HoldsWhatIsLive(Model, Memory),
            "after it, the files are the checkpoint: equal to memory, byte by byte"
        );
        long delta = new FileInfo(new StatePaths(Model).Delta(1)).Length;
        long whole = new FileInfo(Memory).Length;
        story.Claim(delta < whole / 50, $"what was journaled is {Quantity.Size(delta)}, {Quantity.Percent(delta, whole)} of the model");
    }

    private void KillAndRecover()
    {
        story.Step("A sync is killed halfway (SIGKILL, as the out-of-memory killer does it).");
        string old = ModelWitness.Digest(Model);
        long version = 2;
        string? left = null;
        for (int attempt = 0; left is null && attempt < 10; attempt++)
        {
            old = ModelWitness.Digest(Model);
            version = (ModelState.TryRead(Engine.Storage.Disk.Instance, new StatePaths(Model).State)?.Newest ?? 0) + 1;
            Train();
            left = KilledSync.Run(Model, handles, version, dice).Left;
        }

        story.Claim(left is not null, $"it died in the middle: {left ?? "no, ten syncs were too quick to be killed"}");
        bool committed = File.Exists(new StatePaths(Model).Delta(version));
        story.Say("The next command, whatever it is, finishes or undoes what was begun:");
        bool done = Tool("fold") == 0;
        bool whole = committed ? ModelWitness.HoldsWhatIsLive(Model, Memory) : ModelWitness.Digest(Model) == old;
        story.Claim(
            done && whole,
            committed ? $"the files hold exactly version {version}" : "the files hold exactly the version of before"
        );
        story.Claim(
            Tool("sync", "--handles", handles) == 0 && ModelWitness.HoldsWhatIsLive(Model, Memory),
            "and the next sync goes on from there"
        );
    }

    private void GoBack()
    {
        story.Step("Every version can be had again: history goes backward from the files, without a second copy of the model.");
        string original = Path.Combine(root, "version-0");
        story.Claim(
            Tool("restore", "--to", "0", "--output", original) == 0,
            "version 0, from before the training, is restored to a folder"
        );
        DemoModel.Write(Path.Combine(root, "again"), cancel);
        story.Claim(
            ModelWitness.Digest(original) == ModelWitness.Digest(Path.Combine(root, "again")),
            "it is the untrained model, byte by byte"
        );
        story.Claim(ModelWitness.HoldsWhatIsLive(Model, Memory), "and the model itself was not touched");
    }

    private void RefuseMismatch()
    {
        story.Step("A producer that does not publish every tensor is refused, before anything is written.");
        string broken = Path.Combine(root, "broken-handles");
        LeaveOut(broken);
        Train();
        string before = ModelWitness.Digest(Model);
        int code = Tool("sync", "--handles", broken);
        story.Claim(
            code == (int)ExitCode.PlanMismatch,
            $"exit code {code}: a tensor that is not accounted for is an error, never a warning"
        );
        story.Claim(ModelWitness.Digest(Model) == before, "and no file was touched");
    }

    private void Train()
    {
        if (producer is null)
        {
            return;
        }

        producer.StandardInput.WriteLine("step");
        producer.StandardInput.Flush();
        story.Say(producer.StandardOutput.ReadLine() ?? throw new InvalidOperationException(producer.StandardError.ReadToEnd()));
    }

    /// <summary>Shows the command as a user would type it, runs it, and shows what it said.</summary>
    private int Tool(string verb, params string[] options)
    {
        story.Command(string.Join(' ', [verb, "--model-dir", "model", .. options.Select(Shorten)]));
        (int code, string said) = ToolChild.Run([verb, "--model-dir", Model, .. options]);
        story.Say(said.Replace(root + "/", "", StringComparison.Ordinal));
        return code;
    }

    private string Shorten(string option) => option.Replace(root + "/", "", StringComparison.Ordinal);

    /// <summary>The producer's handles without one tensor.</summary>
    private void LeaveOut(string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        JsonNode rank = JsonNode.Parse(File.ReadAllText(Path.Combine(handles, HandlesPublisher.RankName))) ?? new JsonObject();
        rank["allocations"]?[0]?["path"] = Memory;
        rank["state"]?["path"] = Path.Combine(handles, HandlesPublisher.StateName);
        foreach (JsonNode? tensor in rank["tensors"] as JsonArray ?? [])
        {
            if (tensor?["parts"] is JsonArray parts)
            {
                parts.RemoveAll(part => (string?)part?["hf"] == MissingTensor);
            }
        }

        File.WriteAllText(Path.Combine(folder, HandlesPublisher.RankName), rank.ToJsonString());
        File.Copy(Path.Combine(handles, HandlesPublisher.IndexName), Path.Combine(folder, HandlesPublisher.IndexName));
    }

    private void StopProducer()
    {
        if (producer is null)
        {
            return;
        }

        try
        {
            // Its input ends, and so does it; it removes what it published.
            producer.StandardInput.Close();
        }
        catch (IOException)
        {
            // It is gone already, and its pipe with it.
        }

        if (!producer.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            producer.Kill();
            producer.WaitForExit();
        }

        producer.Dispose();
        producer = null;
    }
}
