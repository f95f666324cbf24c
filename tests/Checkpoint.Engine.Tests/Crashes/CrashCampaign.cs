using ApolloCheckpoint.TestKit.Crashing;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>
/// All crashes of one scenario: a power cut at every operation; for a share of what it leaves, a power cut at every operation of the
/// recovery, and for a share of that another; and the process killed at some operations, with a power cut during the recovery that the
/// next process does on a disk whose unflushed writes are still only in memory. Every image that was not seen before is checked.
/// </summary>
internal sealed class CrashCampaign(CrashScenario scenario, int seed, CrashLedger ledger)
{
    private const int RecoveredShare = 20;
    private readonly int[] images = new int[4];
    private int operations;

    /// <summary>Distinct images that were checked.</summary>
    internal int Images => images.Sum();

    public override string ToString() =>
        $"{scenario.Name, -38} {operations, 5} operations {images[0], 6} images, {images[1], 6} of a recovery, {images[2], 6} of a recovery "
        + $"from that, {images[3], 6} after a kill, seed {seed}";

    internal void Run()
    {
        CrashStage stage = scenario.Prepare();
        int before = stage.Disk.Begun;
        Cut(stage, stage.Disk, stage.Act, new CrashRun(seed, scenario.ImagesAPoint, ledger), depth: 0);
        operations = stage.Disk.Begun - before;
        Kill();
    }

    private void Cut(CrashStage stage, CrashingDisk disk, Action act, CrashRun run, int depth)
    {
        run.Workers = Environment.ProcessorCount;
        // One recovery after the other: which of them sees an image first decides what is counted.
        run.BeforeChecks = image => CutRecovery(stage, image, depth);
        run.Through(disk, act, image => stage.Check(image.Disk));
        images[depth] += run.Images;
    }

    private void CutRecovery(CrashStage stage, CrashImage image, int depth)
    {
        if (depth < 2 && image.Hash % RecoveredShare == 0)
        {
            int own = (int)(uint)image.Hash;
            CrashingDisk disk = CrashImages.Of(image.Disk, new Random(own), 1).Single().Disk;
            // Another recovery is at another time.
            disk.Variant = own;
            CrashRun run = new(own, imagesAPoint: Math.Clamp(scenario.ImagesAPoint / 50, 1, 20), ledger);
            Cut(stage, disk, () => stage.Recover(disk), run, depth + 1);
        }
    }

    private void Kill()
    {
        // A row that takes one image a point is one whose check is a whole sync.
        int kills = Math.Min(operations, (scenario.ImagesAPoint == 1 ? 2 : 12) * CrashRun.Factor);
        Parallel.For(
            0,
            kills,
            i =>
            {
                CrashStage stage = scenario.Prepare(variant: i + 1);
                stage.Disk.DiesAfter = stage.Disk.Begun + 1 + (int)((long)i * operations / kills);
                try
                {
                    stage.Act();
                    return;
                }
                catch (ProcessDiedException) { }

                CrashingDisk disk = stage.Disk.Restarted();
                CrashRun run = new(seed + i, imagesAPoint: Math.Clamp(scenario.ImagesAPoint / 10, 1, 60), ledger);
                run.Through(disk, () => stage.Recover(disk), image => stage.Check(image.Disk));
                Interlocked.Add(ref images[3], run.Images);
            }
        );
    }
}
