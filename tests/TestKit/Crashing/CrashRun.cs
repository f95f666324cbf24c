using System.Globalization;
using Xunit.Sdk;

namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>
/// Goes through what a power cut could leave at every operation of a scenario, each distinct image once, and counts them. The number of
/// images a point is multiplied by the environment variable APOLLO_CRASH_FACTOR (1 when it is not set), for long runs.
/// </summary>
/// <param name="seed">Of the sample; part of every failure, so that it can be repeated.</param>
/// <param name="imagesAPoint">Images at most after each operation.</param>
/// <param name="ledger">Images that other runs have checked already, not to be checked again; a new one when null.</param>
public sealed class CrashRun(int seed, int imagesAPoint, CrashLedger? ledger = null)
{
    private readonly Random random = new(seed);
    private readonly CrashLedger seen = ledger ?? new CrashLedger();
    private readonly int most = imagesAPoint * Factor;

    /// <summary>What APOLLO_CRASH_FACTOR multiplies by.</summary>
    public static int Factor { get; } =
        int.TryParse(
            Environment.GetEnvironmentVariable("APOLLO_CRASH_FACTOR"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out int factor
        )
            ? Math.Max(1, factor)
            : 1;

    /// <summary>Distinct images that were checked.</summary>
    public int Images { get; private set; }

    /// <summary>Operations after which images were taken.</summary>
    public int Points { get; private set; }

    /// <summary>Threads that check the images of one moment at once.</summary>
    public int Workers { get; set; } = 1;

    /// <summary>Called for each new image of one moment in turn, before they are checked; it may not write to the image's disk.</summary>
    public Action<CrashImage>? BeforeChecks { get; set; }

    /// <summary>Number of the first operation after which images are taken.</summary>
    public int From { get; init; }

    /// <summary>The counts and the seed, for the output of the test.</summary>
    public override string ToString() => $"{Images} distinct crash images after {Points} operations, seed {seed}";

    /// <summary>Runs the scenario on the disk, and the check on every image of every moment of it.</summary>
    /// <param name="disk">The disk that the scenario writes to.</param>
    /// <param name="scenario">What is interrupted.</param>
    /// <param name="check">Throws when the image is not what it must be. It may write to the image's disk.</param>
    public void Through(CrashingDisk disk, Action scenario, Action<CrashImage> check)
    {
        if (From <= disk.Begun)
        {
            Visit(disk, "before the first operation", check);
        }

        disk.AfterOperation = operation =>
        {
            if (operation.Number >= From)
            {
                Visit(disk, $"after {operation}", check);
            }
        };
        try
        {
            scenario();
        }
        finally
        {
            disk.AfterOperation = null;
        }

        // Once more, seen or not: only now all is promised.
        Visit(disk, "after the end", check, isAgain: true);
    }

    private void Visit(CrashingDisk disk, string moment, Action<CrashImage> check, bool isAgain = false)
    {
        Points++;
        List<CrashImage> fresh = [];
        foreach (CrashImage image in CrashImages.Of(disk, random, most))
        {
            bool isNew = seen.Add(image);
            Images += isNew ? 1 : 0;
            if (isNew || isAgain)
            {
                fresh.Add(image);
            }
        }

        if (BeforeChecks is { } before)
        {
            fresh.ForEach(before);
        }

        if (Workers == 1)
        {
            fresh.ForEach(image => Check(image, moment, check));
            return;
        }

        // The scenario waits meanwhile, so what was promised so far does not move under the checks.
        Exception? failure = null;
        Parallel.ForEach(
            fresh,
            new ParallelOptions { MaxDegreeOfParallelism = Workers },
            (image, loop) =>
            {
                try
                {
                    Check(image, moment, check);
                }
                catch (XunitException e)
                {
                    failure = e;
                    loop.Stop();
                }
            }
        );
        if (failure is not null)
        {
            throw failure;
        }
    }

    private void Check(CrashImage image, string moment, Action<CrashImage> check)
    {
        try
        {
            check(image);
        }
        catch (Exception e)
        {
            throw new XunitException($"A crash {moment} (seed {seed}, image {image.Hash:x}) is not survived: {e.Message}", e);
        }
    }
}
