using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Consistency;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.TestKit;

public class LiveProducerTests
{
    [Fact]
    public void Weights_are_read_through_the_handles_and_steps_show_at_once()
    {
        using TempDirectory temp = TempDirectory.InMemory();
        TinyModel model = TinyModel.Write(temp.File("model"), TinyModel.Small);
        using LiveProducer producer = LiveProducer.Publish(temp.File("handles"), model);
        using IWeightSource source = WeightSources
            .Open(new SyncRequest { ModelDirectory = model.Path, Handles = producer.Folder }, CancellationToken.None)
            .Source;
        Assert.Equal(model.Tensors.Select(tensor => tensor.Name), source.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(model.BytesOf("model.norm.weight"), Live(source, "model.norm.weight"));
        Assert.InRange(producer.Step(share: 0.2, seed: 3), 1, long.MaxValue);
        foreach (TinyTensor tensor in model.Tensors)
        {
            Assert.Equal(producer.BytesOf(tensor.Name), Live(source, tensor.Name));
            Assert.NotEqual(model.BytesOf(tensor.Name), Live(source, tensor.Name));
        }

        Assert.Equal(1UL, StatePageFormat.Parse(File.ReadAllBytes(source.StatePagePath!))?.Step);
    }

    private static byte[] Live(IWeightSource source, string name)
    {
        LiveTensor tensor = source.Tensors.Single(candidate => candidate.Name == name);
        byte[] bytes = new byte[tensor.ByteLength];
        source.Read(tensor, 0, bytes);
        return bytes;
    }
}
