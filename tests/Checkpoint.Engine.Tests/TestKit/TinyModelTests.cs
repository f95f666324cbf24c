using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.TestKit;

public class TinyModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Written_model_is_read_back_by_the_engine(int shards)
    {
        using TempDirectory temp = new();
        TinyModel model = TinyModel.Write(temp.File("m"), TinyModel.Small, shards: shards);
        ModelDirectory read = ModelDirectory.Open(Disk.Instance, model.Path);
        Assert.Equal(shards, read.Layout.Shards.Count);
        Assert.Equal(
            model.Tensors.Select(tensor => (tensor.Name, tensor.Type, tensor.ByteLength)),
            read.Layout.Shards.SelectMany(shard => shard.Header.Tensors).Select(tensor => (tensor.Name, tensor.Type, tensor.ByteLength))
        );
        byte[] first = File.ReadAllBytes(read.Layout.Shards[0].FilePath);
        TensorEntry entry = read.Layout.Shards[0].Header.Tensors[0];
        Assert.Equal(model.BytesOf(entry.Name), first.AsSpan((int)entry.FileOffset, (int)entry.ByteLength).ToArray());
    }

    [Fact]
    public void Trainer_step_changes_about_the_share_asked_for_and_every_counted_element()
    {
        using TempDirectory temp = new();
        TinyModel model = TinyModel.Write(temp.File("m"), TinyModel.Small);
        using FakeWeightSource source = FakeWeightSource.Of(model);
        long counted = source.Step(share: 0.1, seed: 5);
        long differ = source.Tensors.Sum(tensor => Differing(model.BytesOf(tensor.Name), source[tensor.Name], tensor.Type.UnitBytes()));
        Assert.Equal(counted, differ);
        Assert.InRange(counted, 500, 950);
    }

    [Fact]
    public void Fake_source_runs_what_was_asked_for_at_the_nth_read()
    {
        using TempDirectory temp = new();
        using FakeWeightSource source = FakeWeightSource.Of(TinyModel.Write(temp.File("m"), TinyModel.Small));
        LiveTensor tensor = source.Tensors[0];
        byte[] window = new byte[4];
        source.AtRead(2, () => source[tensor.Name][0] ^= 0xFF);
        source.FailAtRead(3);
        source.Read(tensor, 0, window);
        byte before = window[0];
        source.Read(tensor, 0, window);
        Assert.Equal(before ^ 0xFF, window[0]);
        Assert.Equal(CheckpointError.SourceUnavailable, Assert.Throws<CheckpointException>(() => source.Read(tensor, 0, window)).Error);
    }

    private static int Differing(byte[] a, byte[] b, int unit) =>
        a.Chunk(unit).Zip(b.Chunk(unit)).Count(pair => !pair.First.SequenceEqual(pair.Second));
}
