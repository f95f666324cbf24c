using ApolloCheckpoint.TestKit.Fuzzing;
using Xunit;

namespace ApolloCheckpoint.Mutants;

/// <summary>The fuzz targets of the journal with few inputs each.</summary>
[Trait("Ring", "probe")]
public sealed class FuzzProbes
{
    [Theory]
    [InlineData("delta")]
    [InlineData("redo")]
    [InlineData("digests")]
    [InlineData("state")]
    [InlineData("journal")]
    [InlineData("baseline")]
    public void Fuzz(string target) => new FuzzRun(target, seed: 5).Run(inputs: target == "journal" ? 200 : 1500, CancellationToken.None);
}
