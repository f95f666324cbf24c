using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Rsync.Tests;

/// <summary>A random part of the copy fetched back; a chunk that rotted, a list that was exchanged.</summary>
public sealed class RestoreDrillTests : IDisposable
{
    private readonly SyncedModel model = new([
        new("a.weight", ElementType.BF16, 1500, 1024),
        new("b.weight", ElementType.BF16, 700, 1024),
        new("empty", ElementType.F32, 0),
    ]);

    public RestoreDrillTests() => Skip.IfNot(File.Exists("/usr/bin/rsync"), "rsync is not installed");

    [SkippableFact]
    public async Task Part_that_comes_back_as_recorded_is_said()
    {
        model.Step();
        await model.Ship();
        model.Step();
        DrillReport report = await Drill();
        Assert.Equal((1L, 3, 3, 1L), (report.Version, report.Chunks, report.OfChunks, report.Delta!.Value));
        Assert.True(report.Bytes > 2200 * 2048);
    }

    [SkippableFact]
    public async Task Only_as_many_chunks_as_wanted_come()
    {
        model.Step();
        await model.Ship();
        Assert.Equal(1, (await Drill(model.Options with { DrillChunks = 1 })).Chunks);
    }

    [SkippableTheory]
    [InlineData("model-00001-of-00002.safetensors", "tensor \"a.weight\"")]
    [InlineData(".apollo/journal/0000000001.delta", ".apollo/journal/0000000001.delta there")]
    [InlineData(".apollo/digests.bin", ".apollo/digests.bin there")]
    [InlineData(".apollo/SHA256SUMS", "is not the list that was sent")]
    public async Task Part_that_is_not_as_recorded_is_named(string file, string said)
    {
        model.Step();
        await model.Ship();
        using (FileStream there = File.Open(Path.Combine(model.Current, file), FileMode.Open))
        {
            there.Position = there.Length / 2;
            int value = there.ReadByte();
            there.Position--;
            there.WriteByte((byte)(value ^ 16));
        }

        CheckpointException e = await Assert.ThrowsAsync<CheckpointException>(() => Drill());
        Assert.Equal((CheckpointError.OffsiteDiffers, 20), (e.Error, e.ExitCode));
        Assert.Contains(said, e.Message);
    }

    [SkippableFact]
    public async Task File_that_is_missing_there_is_a_failure()
    {
        model.Step();
        await model.Ship();
        File.Delete(Path.Combine(model.Current, "model-00001-of-00002.safetensors"));
        Assert.Equal(20, (await Assert.ThrowsAsync<CheckpointException>(() => Drill())).ExitCode);
    }

    public void Dispose() => model.Dispose();

    private Task<DrillReport> Drill(OffsiteOptions? options = null) => model.Job(options).DrillAsync(CancellationToken.None);
}
