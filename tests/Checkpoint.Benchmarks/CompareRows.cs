using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Diffing;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>The comparison of the scan against libc's memcmp: the same equal bytes, larger than any cache, one core, by processor time.</summary>
internal static partial class CompareRows
{
    private const int ChunkBytes = 2 << 20;
    private const int Chunks = 128;
    private const int Rounds = 9;

    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table)
    {
        byte[] left = new byte[Chunks * ChunkBytes];
        new Random(1).NextBytes(left);
        byte[] right = [.. left];
        List<(int, int)> pages = [];
        double memcmp = 0;
        double ours = 0;
        // In turns, so that whatever else the machine does is the same to both.
        for (int round = 0; round < Rounds; round++)
        {
            memcmp = Math.Max(memcmp, Rate(left, right, static (a, b) => Memcmp(in a[0], in b[0], a.Length) == 0));
            ours = Math.Max(ours, Rate(left, right, (a, b) => DirtyPages.Find(a, b, 1234, pages) == 0));
        }

        table.Add(
            "compare rate of the scan, one core",
            $"{ours:F2} GB/s, memcmp {memcmp:F2} GB/s: {ours / memcmp:P0}",
            "≥ 80 % of memcmp",
            ours >= 0.8 * memcmp
        );
    }

    private delegate bool Comparison(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right);

    private static double Rate(byte[] left, byte[] right, Comparison areEqual)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        for (int chunk = 0; chunk < Chunks; chunk++)
        {
            if (!areEqual(left.AsSpan(chunk * ChunkBytes, ChunkBytes), right.AsSpan(chunk * ChunkBytes, ChunkBytes)))
            {
                throw new InvalidOperationException("equal bytes were found to differ");
            }
        }

        return Chunks * (double)ChunkBytes / (Environment.CpuUsage.TotalTime - start).TotalNanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "memcmp")]
    private static partial int Memcmp(in byte left, in byte right, nint length);
}
