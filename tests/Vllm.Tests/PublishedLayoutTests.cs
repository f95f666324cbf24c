using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Vllm.Tests;

/// <summary>
/// What the hook publishes for each family, against layouts that were recorded by comparing bytes; and the engine on it, with real live
/// bytes: merged rows, experts, ties, padding, other types in memory than on disk.
/// </summary>
[Trait("Ring", "vllm")]
public sealed class PublishedLayoutTests(PublishedLayouts published) : IClassFixture<PublishedLayouts>
{
    /// <summary>The models of the recorded layouts whose files are here.</summary>
    public static TheoryData<string> Models => [.. PublishedLayouts.Models];

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public void The_hook_proves_every_rectangle_and_a_sync_of_it_finds_nothing(string model)
    {
        VllmSite.SkipIfMissing();
        string directory = published.Copy(model);
        JsonElement handles = published.Load(directory);
        SyncReport sync = published.Sync(directory);
        GoldenLayout golden = new(model);

        Assert.Equal(golden.Map, GoldenLayout.MapOf(handles));
        Assert.Equal(golden.NotLive, GoldenLayout.NotLiveOf(handles));
        Assert.Equal((false, 0L), (sync.Changed, sync.ChangedElements));
        Assert.Equal((golden.Map.Count(), golden.NotLive.Count()), (sync.TensorsOnDisk, sync.TensorsNotLive));
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

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public void What_changed_in_memory_is_in_memory_again_when_the_model_is_loaded_anew(string model)
    {
        VllmSite.SkipIfMissing();
        string directory = published.Copy(model);
        JsonElement handles = published.Load(directory);
        string loaded = PublishedLayouts.DigestOf(handles);
        published.Poke();
        string trained = PublishedLayouts.DigestOf(handles);
        Assert.NotEqual(loaded, trained);

        Assert.True(published.Sync(directory).Changed);
        Assert.Equal(trained, PublishedLayouts.DigestOf(published.Load(directory)));
    }
}
