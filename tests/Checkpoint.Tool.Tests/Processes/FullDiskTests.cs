using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Demo;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Processes;

/// <summary>A disk that runs full: before the version exists nothing has changed, after it nothing is lost; with space again all goes on.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly TempDirectory temp = new();
    private readonly SmallDisk? disk;
    private readonly DemoProducer? producer;

    public FullDiskTests()
    {
        disk = SmallDisk.TryMount(temp.Folder("disk"), kilobytes: 12 << 10);
        if (disk is not null)
        {
            TinyModel.Write(ModelPath, [new("model.weight", ElementType.BF16, 2048, 1024)]);
            producer = DemoProducer.Start(ModelPath, temp.File("handles"), 0.01, CancellationToken.None);
        }
    }

    private string ModelPath => temp.File("disk", "model");

    private string Filler => temp.File("disk", "filler");

    [SkippableFact]
    public async Task Version_that_finds_no_space_is_not_made_and_is_once_there_is_space()
    {
        Train();
        string before = ModelWitness.Digest(ModelPath);
        Fill(leave: 0);
        ToolRun run = Sync();
        Assert.Equal((15, ""), (run.ExitCode, run.Out));
        Assert.Equal(before, ModelWitness.Digest(ModelPath));

        File.Delete(Filler);
        Assert.Equal(0, Sync().ExitCode);
        Assert.True(IsSynced());
        await Verify(run.Error.Replace(temp.Path, "", StringComparison.Ordinal));
    }

    [SkippableFact]
    public void Version_whose_fold_finds_no_space_is_kept_and_folded_once_there_is_space()
    {
        Train();
        string before = ModelWitness.Digest(ModelPath);
        // Room for the delta, which is allocated a mebibyte ahead, and not for the shard's 4 MiB once more.
        Fill(leave: 3 << 19);
        ToolRun run = Sync("--fold-way", "replace");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("version 1 kept, files at 0: ", run.Out + run.Error);
        Assert.Equal(before, ModelWitness.Digest(ModelPath));

        File.Delete(Filler);
        Assert.Equal(0, ToolProcess.Run("fold", "--model-dir", ModelPath).ExitCode);
        Assert.True(IsSynced());
    }

    public void Dispose()
    {
        producer?.Dispose();
        disk?.Dispose();
        temp.Dispose();
    }

    private void Train()
    {
        Skip.If(producer is null, "mounting a file system needs root");
        Assert.Equal(0, Sync().ExitCode);
        producer!.Step(CancellationToken.None);
    }

    private void Fill(long leave) => File.WriteAllBytes(Filler, new byte[disk!.Free - leave]);

    private bool IsSynced() => ModelWitness.HoldsWhatIsLive(ModelPath, temp.File("handles", DemoFolder.MemoryName));

    private ToolRun Sync(params string[] options) =>
        ToolProcess.Run(["sync", "--model-dir", ModelPath, "--handles", temp.File("handles"), .. options]);
}
