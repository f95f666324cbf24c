using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Safetensors;

public sealed class SafetensorsSourceTests : WeightSourceContract
{
    protected override bool KnowsStrides => false;

    protected override IWeightSource Open(string folder, IReadOnlyList<ContractTensor> tensors)
    {
        IEnumerable<(TinyTensor, byte[])> rows = tensors.Select(tensor =>
            (new TinyTensor(tensor.Name, tensor.Type, tensor.Shape), tensor.Memory)
        );
        File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), SafetensorsBytes.Build(rows));
        return WeightSources.Open(new SyncRequest { ModelDirectory = "", Handles = folder }, CancellationToken.None).Source;
    }

    [Fact]
    public void A_directory_that_is_no_model_is_a_malformed_source_and_not_a_malformed_target()
    {
        using TempDirectory folder = new();
        CheckpointException failure = Assert.Throws<CheckpointException>(() =>
            WeightSources.Open(new SyncRequest { ModelDirectory = "", Handles = folder.Path }, CancellationToken.None)
        );
        Assert.Equal((CheckpointError.HandlesMalformed, 11), (failure.Error, failure.ExitCode));
    }
}
