using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Cuda;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// What the native CUDA source adds to the work itself: the stand-in's copy is a memcpy out of a mapped file, and the same bytes are copied,
/// digested and compared without the source. Both in turns on one thread, the best round of each.
/// </summary>
internal static class CudaRows
{
    private const int Window = 2 << 20;
    private const int Windows = 96;
    private const int Rounds = 9;

    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table)
    {
        const string What = "native CUDA source on the stand-in driver, against memcpy, digest and comparison alone";
        if (!Array.Exists(["/usr/bin/cc", "/usr/local/bin/cc"], File.Exists))
        {
            table.Blank(What, "≤ 1.02 ×", "no C compiler (cc)");
            return;
        }

        using TempDirectory folder = TempDirectory.InMemory();
        byte[] content = new byte[Window * Windows];
        new Random(1).NextBytes(content);
        FakeCudaMemory memory = new(folder.File("gpu"));
        byte[] handle = memory.Allocate(content);
        FakeCuda.Setup(memory.Setting, "FAKE_CUDA_FAST=1");
        using CudaWeightSource source = CudaWeightSource.Open(Publish(folder, handle, content.Length), CudaDriver.Instance);
        using MemoryMappedFile file = MemoryMappedFile.CreateFromFile(memory.PathOf(handle), FileMode.Open);
        using MemoryMappedViewAccessor view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        (double plain, double native) = (double.MaxValue, double.MaxValue);
        for (int round = 0; round <= Rounds; round++)
        {
            double alone = Seconds(() => Alone(view, content));
            double through = Seconds(() => Through(source, content));
            if (round > 0) // the first one pays the faults of both mappings
            {
                (plain, native) = (Math.Min(plain, alone), Math.Min(native, through));
            }
        }

        double gigabytes = content.Length / 1e9;
        table.Add(
            What,
            $"{native / plain:F3} × processor time ({gigabytes / native:F2} and {gigabytes / plain:F2} GB/s, one thread, best of {Rounds})",
            "≤ 1.02 ×",
            native / plain <= 1.02
        );
    }

    private static unsafe void Alone(MemoryMappedViewAccessor view, byte[] disk)
    {
        byte[][] buffers = [new byte[Window], new byte[Window]]; // as many as the source has: one would stay in a cache
        byte* live = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref live);
        for (int i = 0; i < Windows; i++)
        {
            byte[] buffer = buffers[i % 2];
            new ReadOnlySpan<byte>(live + (long)i * Window, Window).CopyTo(buffer);
            Compare(buffer, disk, i);
        }

        view.SafeMemoryMappedViewHandle.ReleasePointer();
    }

    private static void Through(CudaWeightSource source, byte[] disk)
    {
        using IReadAhead ahead = source.OpenReadAhead();
        LiveTensor tensor = source.Tensors[0];
        ahead.Start(tensor, 0, Window);
        for (int i = 0; i < Windows; i++)
        {
            if (i + 1 < Windows)
            {
                ahead.Start(tensor, (long)(i + 1) * Window, Window);
            }

            Compare(ahead.Take().Span, disk, i);
        }
    }

    private static void Compare(ReadOnlySpan<byte> live, byte[] disk, int window)
    {
        if (Digest128.Of(live) == default || !live.SequenceEqual(disk.AsSpan(window * Window, Window)))
        {
            throw new InvalidOperationException("the copy is not what was copied");
        }
    }

    private static double Seconds(Action work)
    {
        TimeSpan begin = Environment.CpuUsage.TotalTime;
        work();
        return (Environment.CpuUsage.TotalTime - begin).TotalSeconds;
    }

    private static HandlesFile Publish(TempDirectory folder, byte[] handle, long bytes)
    {
        JsonObject allocation = new()
        {
            ["kind"] = "cuda-ipc",
            ["handle"] = Convert.ToBase64String(handle),
            ["device_uuid"] = FakeCuda.DefaultDevice,
        };
        return HandlesFile.Read(OneTensor.Publish(folder, allocation, bytes), FileRules.For(null), CancellationToken.None);
    }
}
