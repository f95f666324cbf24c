using System.Diagnostics;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>
/// Invariants 1, 2, 3 and 8 on a disk that forgets: whatever a power cut leaves, at any operation of anything that writes, the next
/// opening finds exactly the old or exactly the new model, never less than what was promised, and every version that was kept. The same
/// for a power cut during that recovery, and during the recovery from that; and for one after a process was killed and recovered from.
/// </summary>
[Trait("Ring", "crash")]
public sealed class EnumeratedCrashTests(CrashCount count, ITestOutputHelper output) : IClassFixture<CrashCount>
{
    public static TheoryData<string> Names { get; } = [.. CrashScenarios.All.Select(scenario => scenario.Name)];

    [Fact]
    public void At_least_100_000_distinct_crash_images_are_promised() =>
        Assert.InRange(CrashScenarios.All.Sum(scenario => scenario.Least), 100_000, int.MaxValue);

    [Theory]
    [MemberData(nameof(Names))]
    public void Any_crash_leaves_the_old_or_the_new_model_and_every_version(string name)
    {
        CrashScenario scenario = CrashScenarios.All.Single(row => row.Name == name);
        long begin = Stopwatch.GetTimestamp();
        CrashCampaign campaign = new(scenario, seed: 11, count.Ledger);
        campaign.Run();
        output.WriteLine($"{campaign} ({Stopwatch.GetElapsedTime(begin).TotalSeconds:F1} s)");
        Assert.InRange(campaign.Images, scenario.Least, int.MaxValue);
    }
}
