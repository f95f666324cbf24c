using System.Collections.Concurrent;

namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>The crash images that were seen, over any number of runs and threads: only distinct ones count. Remembers hashes, no images.</summary>
public sealed class CrashLedger
{
    private readonly ConcurrentDictionary<UInt128, byte> seen = new();

    /// <summary>Number of distinct images.</summary>
    public int Count => seen.Count;

    /// <summary>Notes an image.</summary>
    /// <returns>Whether it is new.</returns>
    public bool Add(CrashImage image) => seen.TryAdd(image.Hash, 0);
}
