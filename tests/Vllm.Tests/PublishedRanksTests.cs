using System.Text.Json;
using ApolloCheckpoint.Engine;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// What the hook publishes on several ranks, against layouts that were recorded by comparing bytes, down to which copies nothing computes
/// with; and the engine on all ranks at once. A few setups here, all that are recorded with <c>build.sh soak</c>.
/// </summary>
[Trait("Ring", "vllm")]
public sealed class PublishedRanksTests(PublishedRanks published) : IClassFixture<PublishedRanks>
{
    /// <summary>A rank without a row of the vocabulary; experts apart. Two and more ranks at work are in <see cref="ServedRanksTests"/>.</summary>
    private static readonly string[] Few = ["par-llama-smallvocab.tp4", "par-qwen3-moe-5e.tp2ep"];

    /// <summary>Names of recorded setups.</summary>
    public static TheoryData<string> Setups => Soak.IsOn ? [.. GoldenRanks.Names] : [.. Few];

    [SkippableTheory]
    [MemberData(nameof(Setups))]
    public void The_hook_proves_every_rectangle_of_every_rank_and_a_sync_of_them_finds_nothing(string name)
    {
        VllmSite.SkipIfMissing();
        GoldenRanks golden = new(name);
        (string directory, JsonElement ranks) = published.Load(golden);
        SyncReport sync = published.Sync(directory);

        Assert.Equal(golden.Map, GoldenRanks.MapOf(ranks));
        Assert.Equal((false, 0L), (sync.Changed, sync.ChangedElements));
        Assert.Equal(ConsistencyKind.Stable, sync.Label.Kind);
        Assert.All(
            ranks.EnumerateArray().SelectMany(rank => rank.GetProperty("tensors").EnumerateArray()),
            tensor => Assert.False(tensor.TryGetProperty("unsupported", out JsonElement why), $"{tensor.GetProperty("name")}: {why}")
        );
    }
}
