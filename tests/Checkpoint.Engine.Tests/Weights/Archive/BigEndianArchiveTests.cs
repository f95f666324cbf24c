using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Tests.Weights.Archive;

/// <summary>An archive of a big-endian machine gives the same bytes as any other.</summary>
public sealed class BigEndianArchiveTests : WeightSourceContract
{
    protected override IWeightSource Open(string folder, IReadOnlyList<ContractTensor> tensors) =>
        TorchArchiveSourceTests.OpenBytes(folder, TorchArchiveBytes.Build(tensors, bigEndian: true)).Source;
}
