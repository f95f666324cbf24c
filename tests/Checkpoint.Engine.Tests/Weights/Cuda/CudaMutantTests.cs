using ApolloCheckpoint.Engine.Weights.Cuda;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Cuda;

/// <summary>The stand-in is only worth what it notices: for every rule that it holds, a change of our source that breaks it is caught.</summary>
[Collection(FakeCuda.Collection)]
[Trait("Ring", "cuda")]
public sealed class CudaMutantTests : IDisposable
{
    private static readonly Dictionary<string, (string Key, Func<ICudaDriver> Make)> Mutants = new()
    {
        [nameof(CudaMutants.NeverInitializes)] = ("init", () => new CudaMutants.NeverInitializes()),
        [nameof(CudaMutants.NeverEntersAContext)] = ("no-context", () => new CudaMutants.NeverEntersAContext()),
        [nameof(CudaMutants.NeverLeavesAContext)] = ("left-current", () => new CudaMutants.NeverLeavesAContext()),
        [nameof(CudaMutants.NeverReleasesTheContext)] = ("leak-context", () => new CudaMutants.NeverReleasesTheContext()),
        [nameof(CudaMutants.ReleasesTheContextTwice)] = ("released-twice", () => new CudaMutants.ReleasesTheContextTwice()),
        [nameof(CudaMutants.ReleasesTheContextBeforeTheBlocks)] = (
            "released-early",
            () => new CudaMutants.ReleasesTheContextBeforeTheBlocks()
        ),
        [nameof(CudaMutants.EntersAContextThatIsNotRetained)] = ("dead-context", () => new CudaMutants.EntersAContextThatIsNotRetained()),
        [nameof(CudaMutants.OpensABlockTwice)] = ("double-open", () => new CudaMutants.OpensABlockTwice()),
        [nameof(CudaMutants.NeverClosesABlock)] = ("leak-block", () => new CudaMutants.NeverClosesABlock()),
        [nameof(CudaMutants.ClosesABlockTwice)] = ("not-open", () => new CudaMutants.ClosesABlockTwice()),
        [nameof(CudaMutants.OpensWithoutItsFlag)] = ("flags", () => new CudaMutants.OpensWithoutItsFlag()),
        [nameof(CudaMutants.NeverAsksHowLongABlockIs)] = ("unproven", () => new CudaMutants.NeverAsksHowLongABlockIs()),
        [nameof(CudaMutants.CopiesFromBehindTheBlock)] = ("out-of-range", () => new CudaMutants.CopiesFromBehindTheBlock()),
        [nameof(CudaMutants.CopiesFromTheWrongPlace)] = ("wrong bytes", () => new CudaMutants.CopiesFromTheWrongPlace()),
        [nameof(CudaMutants.CopiesIntoMemoryThatIsNotPinned)] = ("not-pinned", () => new CudaMutants.CopiesIntoMemoryThatIsNotPinned()),
        [nameof(CudaMutants.NeverFreesPinnedMemory)] = ("leak-pinned", () => new CudaMutants.NeverFreesPinnedMemory()),
        [nameof(CudaMutants.FreesPinnedMemoryTwice)] = ("not-pinned", () => new CudaMutants.FreesPinnedMemoryTwice()),
        [nameof(CudaMutants.NeverDestroysAStream)] = ("leak-stream", () => new CudaMutants.NeverDestroysAStream()),
        [nameof(CudaMutants.NeverDestroysAnEvent)] = ("leak-event", () => new CudaMutants.NeverDestroysAnEvent()),
        [nameof(CudaMutants.UsesAStreamAfterItsEnd)] = ("not-open", () => new CudaMutants.UsesAStreamAfterItsEnd()),
        [nameof(CudaMutants.NeverWaitsForACopy)] = ("wrong bytes", () => new CudaMutants.NeverWaitsForACopy()),
        [nameof(CudaMutants.NeverMarksACopy)] = ("unwaited", () => new CudaMutants.NeverMarksACopy()),
        [nameof(CudaMutants.LeavesWithCopiesUnderWay)] = ("unwaited", () => new CudaMutants.LeavesWithCopiesUnderWay()),
        [nameof(CudaMutants.CopiesTwice)] = ("unwaited", () => new CudaMutants.CopiesTwice()),
        [nameof(CudaMutants.UsesOneStreamForAllDevices)] = ("other-device", () => new CudaMutants.UsesOneStreamForAllDevices()),
        [nameof(CudaMutants.OpensBlocksOnTheWrongDevice)] = ("refused", () => new CudaMutants.OpensBlocksOnTheWrongDevice()),
        [nameof(CudaMutants.WritesToTheProducer)] = ("write", () => new CudaMutants.WritesToTheProducer()),
    };

    private readonly CudaScenario scenario = new();

    public static IEnumerable<object[]> Names => Mutants.Keys.Select(name => new object[] { name });

    public void Dispose() => scenario.Dispose();

    [SkippableFact]
    public void Our_source_as_it_is_breaks_no_rule() => Assert.Empty(scenario.Run(CudaDriver.Instance));

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void Mutant_is_caught(string name)
    {
        (string key, Func<ICudaDriver> make) = Mutants[name];
        string[] found = ["refused"];
        try
        {
            found = [.. scenario.Run(make())];
        }
        catch (CheckpointException)
        {
            found = [.. found, .. FakeCuda.Report().Keys];
        }

        Assert.Contains(key, found);
    }

    [SkippableFact]
    public void Every_rule_of_the_stand_in_has_a_mutant()
    {
        string[] sources = [.. Directory.EnumerateFiles(Repository.PathOf("tests", "FakeCuda"), "*.c").Select(File.ReadAllText)];
        IEnumerable<string> rules = sources.SelectMany(text =>
            System.Text.RegularExpressions.Regex.Matches(text, "found\\(\"([a-z-]+)\"").Select(match => match.Groups[1].Value)
        );
        Assert.Empty(rules.Distinct().Except(Mutants.Values.Select(mutant => mutant.Key)));
    }
}
