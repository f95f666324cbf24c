using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// What this machine can do at best: both sides of a model mapped and compared once by libc's memcmp. In the first pass the mapping
/// pays a fault for every page it has not seen, which any program must that maps; in the later ones there is nothing but memory.
/// </summary>
internal static partial class CompareLimit
{
    private const int Window = 2 << 20;

    /// <summary>
    /// The floor of a process that has just started and does nothing but read both sides by position: the kernel copies each byte once,
    /// which is the cheapest way into a process that has nothing mapped yet.
    /// </summary>
    public static Cost MeasureReading(LiveModel model, int threads)
    {
        string[] files = [.. model.ShardFiles.Order(StringComparer.Ordinal), .. model.LiveFiles];
        List<(string Path, long Offset)> windows =
        [
            .. files.SelectMany(path =>
                Enumerable.Range(0, (int)((new FileInfo(path).Length + Window - 1) / Window)).Select(part => (path, (long)part * Window))
            ),
        ];
        Dictionary<string, SafeFileHandle> handles = files.ToDictionary(path => path, path => File.OpenHandle(path));
        byte[][] buffers = [.. Enumerable.Range(0, threads).Select(_ => new byte[Window])];
        int taken = -1;
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long begin = Stopwatch.GetTimestamp();
        Thread[] workers =
        [
            .. buffers.Select(buffer => new Thread(() =>
            {
                for (int i = Interlocked.Increment(ref taken); i < windows.Count; i = Interlocked.Increment(ref taken))
                {
                    RandomAccess.Read(handles[windows[i].Path], buffer, windows[i].Offset);
                }
            })),
        ];
        Array.ForEach(workers, worker => worker.Start());
        Array.ForEach(workers, worker => worker.Join());
        Cost cost = new(Stopwatch.GetElapsedTime(begin).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
        handles.Values.ToList().ForEach(handle => handle.Dispose());
        return cost;
    }

    /// <summary>Seconds and processor seconds: a first pass, and the best of three more.</summary>
    public static (Cost Fresh, Cost Mapped) Measure(LiveModel model, int threads)
    {
        string[] shards = [.. model.ShardFiles.Order(StringComparer.Ordinal)];
        string[] live = [.. model.LiveFiles];
        List<(MemoryMappedFile File, MemoryMappedViewAccessor View, nint Start, long Length)> maps = [.. shards.Concat(live).Select(Map)];
        try
        {
            List<(nint Left, nint Right, int Length)> windows = Windows(maps, shards.Length);
            Cost fresh = Pass(windows, threads);
            Cost mapped = Enumerable.Range(0, 3).Select(_ => Pass(windows, threads)).MinBy(cost => cost.Wall);
            return (fresh, mapped);
        }
        finally
        {
            foreach ((MemoryMappedFile file, MemoryMappedViewAccessor view, _, _) in maps)
            {
                view.Dispose();
                file.Dispose();
            }
        }
    }

    private static (MemoryMappedFile, MemoryMappedViewAccessor, nint, long) Map(string path)
    {
        MemoryMappedFile file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        MemoryMappedViewAccessor view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        return (file, view, view.SafeMemoryMappedViewHandle.DangerousGetHandle(), new FileInfo(path).Length);
    }

    /// <summary>The live files one after the other against the data of the shards, which are in the same order.</summary>
    private static List<(nint, nint, int)> Windows(
        List<(MemoryMappedFile, MemoryMappedViewAccessor, nint Start, long Length)> maps,
        int shards
    )
    {
        List<(nint, nint, int)> windows = [];
        int shard = 0;
        long at = DataStart(maps[0].Start);
        foreach ((_, _, nint start, long length) in maps.Skip(shards))
        {
            if (at == maps[shard].Length)
            {
                shard++;
                at = DataStart(maps[shard].Start);
            }

            for (long done = 0; done < length; done += Window)
            {
                windows.Add((maps[shard].Start + (nint)(at + done), start + (nint)done, (int)Math.Min(Window, length - done)));
            }

            at += length;
        }

        return windows;
    }

    private static long DataStart(nint shard) => 8 + Marshal.ReadInt64(shard);

    private static Cost Pass(List<(nint Left, nint Right, int Length)> windows, int threads)
    {
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long begin = Stopwatch.GetTimestamp();
        int differing = 0;
        Parallel.ForEach(
            windows,
            new ParallelOptions { MaxDegreeOfParallelism = threads },
            window =>
            {
                if (Memcmp(window.Left, window.Right, window.Length) != 0)
                {
                    Interlocked.Increment(ref differing);
                }
            }
        );
        double wall = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        return differing == 0
            ? new Cost(wall, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds)
            : throw new InvalidOperationException($"{differing} windows of the live copy differ from the shards");
    }

    [LibraryImport("libc", EntryPoint = "memcmp")]
    private static partial int Memcmp(nint left, nint right, nint length);

    /// <summary>What a pass cost.</summary>
    /// <param name="Wall">Seconds.</param>
    /// <param name="Cpu">Seconds of processor time.</param>
    internal readonly record struct Cost(double Wall, double Cpu);
}
