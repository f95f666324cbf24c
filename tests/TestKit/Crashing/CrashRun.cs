using System.Globalization;
using Xunit.Sdk;

namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>
/// Goes through what a power cut could leave at every operation of a scenario, each distinct image once, and counts them. The number of
/// images a point is multiplied by the environment variable APOLLO_CRASH_FACTOR (1 when it is not set), for long runs.
/// </summary>
/// <param name="seed">Of the sample; part of every failure, so that it can be repeated.</param>
/// <param name="imagesAPoint">Images at most after each operation.</param>
public sealed class CrashRun(int seed, int imagesAPoint)
{
    private readonly Random random = new(seed);
    private readonly HashSet<UInt128> seen = [];
    private readonly int most = imagesAPoint * Factor();

    /// <summary>Distinct images that were checked.</summary>
    public int Images => seen.Count;

    /// <summary>Operations after which images were taken.</summary>
    public int Points { get; private set; }

    /// <summary>The counts and the seed, for the output of the test.</summary>
    public override string ToString() => $"{Images} distinct crash images after {Points} operations, seed {seed}";

    /// <summary>Runs the scenario on the disk, and the check on every image of every moment of it.</summary>
    /// <param name="disk">The disk that the scenario writes to.</param>
    /// <param name="scenario">What is interrupted.</param>
    /// <param name="check">Throws when the image is not what it must be. It may write to the image's disk.</param>
    public void Through(CrashingDisk disk, Action scenario, Action<CrashImage> check)
    {
        void Visit(string moment)
        {
            Points++;
            foreach (CrashImage image in CrashImages.Of(disk, random, most).Where(image => seen.Add(image.Hash)))
            {
                Check(image, moment, check);
            }
        }

        Visit("before the first operation");
        disk.AfterOperation = operation => Visit($"after {operation}");
        try
        {
            scenario();
        }
        finally
        {
            disk.AfterOperation = null;
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

    private static int Factor() =>
        int.TryParse(
            Environment.GetEnvironmentVariable("APOLLO_CRASH_FACTOR"),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out int factor
        )
            ? Math.Max(1, factor)
            : 1;
}
