using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Demo;
using ApolloCheckpoint.Tool.Tests.Processes;

namespace ApolloCheckpoint.Tool.Tests.Faults;

/// <summary>
/// A model with two versions behind it and a third that a sync is about to bring in, as often as a test wants it: the live weights are
/// another model directory, so nothing but the tool runs.
/// </summary>
internal sealed class FaultScene : IDisposable
{
    private readonly TempDirectory temp = TempDirectory.InMemory();
    private readonly string[] digests;

    /// <param name="way">How the sync folds: patch, replace.</param>
    public FaultScene(string way)
    {
        Way = way;
        string first = temp.File("v0");
        TinyModel.Write(first, TinyModel.Small, shards: 2);
        CopyFolder(first, temp.File("template"));
        digests = [ModelWitness.Digest(first), Train(first, "v1", 1), Train("v1", "v2", 2)];
        Assert.Equal(0, ToolProcess.Run(Sync(temp.File("template"), "v1")).ExitCode);
    }

    public string Way { get; }

    /// <summary>What a sync does to the disk when nothing is in its way; counted first.</summary>
    public FaultRun Count() => Run("0:none", out _);

    /// <summary>Runs the sync with a fault, and leaves what it left.</summary>
    /// <param name="fault">APOLLO_FAULT.</param>
    /// <param name="model">The model directory; the caller's to delete.</param>
    public FaultRun Run(string fault, out string model)
    {
        string name = $"model-{Guid.NewGuid():N}";
        model = temp.File(name);
        string log = temp.File($"{name}.log");
        CopyFolder(temp.File("template"), model);
        using ToolProcess tool = ToolProcess.StartIn(
            [
                $"LD_PRELOAD={FaultShim.Library}",
                $"APOLLO_FAULT_ROOT={model}",
                $"APOLLO_FAULT_LOG={log}",
                $"APOLLO_FAULT={fault}",
                "DOTNET_TieredCompilation=1",
            ],
            Sync(model, "v2")
        );
        ToolRun run = tool.WaitForEnd();
        string root = model;
        FaultRun done = new(run, [.. File.ReadAllLines(log).Select(line => line.Replace(root, "MODEL", StringComparison.Ordinal))]);
        File.Delete(log);
        return done;
    }

    /// <summary>
    /// Recovers what a run left and throws unless it is exactly the old or the new version, with every older version within reach.
    /// </summary>
    /// <returns>The newest version.</returns>
    public long Judge(string model)
    {
        JournalOptions options = new() { Codec = () => new ChunkCodec() };
        long newest;
        using (JournalSession session = JournalSession.Open(Disk.Instance, ModelDirectory.Open(Disk.Instance, model), options, default))
        {
            newest = session.Newest;
            Assert.InRange(newest, 1, 2);
            Assert.Equal(digests[session.FilesVersion], ModelWitness.Digest(model));
            Assert.Null(session.Fold(FoldWay.Auto, default).Warning);
        }

        Assert.Equal(digests[newest], ModelWitness.Digest(model));
        Assert.Empty(new HistoryEngine(model).Verify(default).Damage);
        string copy = $"{model}-copy";
        new HistoryEngine(model).RestoreCopy(0, copy, null, default);
        Assert.Equal(digests[0], ModelWitness.Digest(copy));
        Directory.Delete(copy, recursive: true);
        Directory.Delete(model, recursive: true);
        return newest;
    }

    public void Dispose() => temp.Dispose();

    private string[] Sync(string model, string live) =>
        ["sync", "--model-dir", model, "--source", "safetensors", "--handles", temp.File(live), "--fold-way", Way];

    private string Train(string from, string to, int seed)
    {
        string target = temp.File(to);
        CopyFolder(temp.File(from), target);
        Random random = new(seed);
        ModelLayout layout = ModelDirectory.Open(Disk.Instance, target).Layout;
        for (int ordinal = 0; ordinal < layout.ChunkCount; ordinal++)
        {
            Chunk chunk = layout[ordinal];
            using IDiskFile file = Disk.Instance.Open(chunk.Shard.FilePath, writable: true);
            byte[] bytes = new byte[chunk.ByteLength];
            file.Read(bytes, chunk.FileOffset);
            TrainerStep.Apply(bytes, chunk.Tensor.Type, 0.05, random);
            file.Write(bytes, chunk.FileOffset);
        }

        return ModelWitness.Digest(target);
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string path in Directory.EnumerateFiles(from))
        {
            File.Copy(path, Path.Combine(to, Path.GetFileName(path)));
        }

        foreach (string path in Directory.EnumerateDirectories(from))
        {
            CopyFolder(path, Path.Combine(to, Path.GetFileName(path)));
        }
    }
}
