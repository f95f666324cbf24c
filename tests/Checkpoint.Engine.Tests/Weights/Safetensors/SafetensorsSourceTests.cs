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
        CheckpointException failure = Failure(folder.Path, SourceKind.Safetensors);
        Assert.Equal((CheckpointError.HandlesMalformed, 11), (failure.Error, failure.ExitCode));
    }

    [Fact]
    public void A_directory_without_handles_and_without_tensors_has_no_handles_yet()
    {
        using TempDirectory folder = new();
        CheckpointException failure = Failure(folder.Path, SourceKind.Auto);
        Assert.Equal(
            (
                CheckpointError.HandlesNotFound,
                $"Weight handles not found: {folder.File("index.json")}. Is vLLM running with the export hook?"
            ),
            (failure.Error, failure.Message)
        );
    }

    private static CheckpointException Failure(string path, SourceKind source) =>
        Assert.Throws<CheckpointException>(() =>
            WeightSources.Open(
                new SyncRequest
                {
                    ModelDirectory = "",
                    Handles = path,
                    Source = source,
                },
                CancellationToken.None
            )
        );
}
