using System.Text.Json;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>What the hook publishes for each family, against layouts that were recorded by comparing bytes.</summary>
[Trait("Ring", "vllm")]
public sealed class PublishedLayoutTests(PublishedLayouts published) : IClassFixture<PublishedLayouts>
{
    /// <summary>The models of the recorded layouts whose files are here.</summary>
    public static TheoryData<string> Models => [.. PublishedLayouts.Models];

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public void The_hook_finds_and_proves_every_rectangle(string model)
    {
        VllmSite.SkipIfMissing();
        JsonElement handles = published.Of(model);
        GoldenLayout golden = new(model);

        Assert.Equal(golden.Map, GoldenLayout.MapOf(handles));
        Assert.Equal(golden.NotLive, GoldenLayout.NotLiveOf(handles));
        Assert.All(
            handles.GetProperty("tensors").EnumerateArray(),
            tensor =>
            {
                Assert.False(tensor.TryGetProperty("unsupported", out JsonElement why), $"{tensor.GetProperty("name")}: {why}");
                Assert.All(
                    tensor.GetProperty("parts").EnumerateArray(),
                    part => Assert.Equal("full", part.GetProperty("proof").GetString())
                );
            }
        );
    }
}
