using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Python;

/// <summary>The python source on the handles that the host-memory source is tested with: mapped by torch, nothing executed.</summary>
[Collection(PythonCollection.Name)]
[Trait("Ring", "python")]
public sealed class PythonContractTests : WeightSourceContract
{
    protected override IWeightSource Open(string folder, IReadOnlyList<ContractTensor> tensors) =>
        PythonForTests.Open(HandlesText.Write(folder, HandlesText.Publish(folder, tensors)), trust: false);

    [SkippableFact]
    public void Memory_file_that_is_too_short_is_said_and_never_lengthened()
    {
        using TempDirectory folder = TempDirectory.InMemory();
        string handles = HandlesText.Write(
            folder.Path,
            HandlesText.Publish(folder.Path, [ContractTensor.Of("w", ElementType.BF16, 1, 4, 8)])
        );
        string memory = folder.File("rank0.weights");
        using (FileStream file = File.OpenWrite(memory))
        {
            file.SetLength(100);
        }

        CheckpointException refused = PythonForTests.Refused(PythonForTests.Request(handles, trust: false));
        Assert.Equal(CheckpointError.SourceUnavailable, refused.Error);
        Assert.Contains("has 100 bytes", refused.Message, StringComparison.Ordinal);
        Assert.Equal(100, new FileInfo(memory).Length);
    }
}
