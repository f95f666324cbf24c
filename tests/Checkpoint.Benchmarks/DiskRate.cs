using System.Diagnostics;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>How fast the disk takes what is written and flushed, one file from front to back.</summary>
internal static class DiskRate
{
    private const int Window = 4 << 20;
    private const int Windows = 128;

    /// <summary>Bytes a second; the better of two.</summary>
    public static double Measure(string folder) => Math.Max(Once(folder), Once(folder));

    private static double Once(string folder)
    {
        string path = Path.Combine(folder, ".rate");
        byte[] bytes = new byte[Window];
        Random.Shared.NextBytes(bytes);
        long begin = Stopwatch.GetTimestamp();
        using (FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0, FileOptions.DeleteOnClose))
        {
            for (int window = 0; window < Windows; window++)
            {
                file.Write(bytes);
            }

            file.Flush(flushToDisk: true);
            return (double)Window * Windows / Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }
    }
}
