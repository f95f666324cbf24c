using ApolloCheckpoint.Engine.Tests.Crashes;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;

namespace ApolloCheckpoint.Mutants;

/// <summary>
/// The scenarios of the enumerated crashes with few images each, to be run hundreds of times: a power cut at every operation, and for
/// some of what it leaves another at every operation of the recovery.
/// </summary>
[Trait("Ring", "probe")]
public sealed class CrashProbes
{
    private const int ImagesAPoint = 6;
    private const int RecoveredShare = 40;

    public static TheoryData<string> Names { get; } = [.. CrashScenarios.All.Select(scenario => scenario.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Crash(string name)
    {
        CrashScenario scenario = CrashScenarios.All.Single(row => row.Name == name);
        CrashStage stage = scenario.Prepare();
        CrashRun run = new(seed: 5, Math.Min(ImagesAPoint, scenario.ImagesAPoint)) { BeforeChecks = image => CutRecovery(stage, image) };
        run.Through(stage.Disk, stage.Act, image => stage.Check(image.Disk));
    }

    private static void CutRecovery(CrashStage stage, CrashImage image)
    {
        if (image.Hash % RecoveredShare == 0)
        {
            CrashingDisk disk = CrashImages.Of(image.Disk, new Random(5), 1).Single().Disk;
            CrashRun run = new(seed: 5, imagesAPoint: 2);
            run.Through(disk, () => stage.Recover(disk), second => stage.Check(second.Disk));
        }
    }
}
