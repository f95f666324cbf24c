using System.Diagnostics;
using System.Text.Json.Nodes;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;
using ApolloCheckpoint.Engine.Weights.HostMemory;
using ApolloCheckpoint.Engine.Weights.Python;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Benchmarks;

/// <summary>
/// The python source against the host-memory source: the same shared memory, read by both in turns on one thread, the best round of each.
/// Every round reads bytes that neither has read before, as a sync does.
/// </summary>
internal static class PythonRows
{
    private const int Window = 2 << 20;
    private const int Windows = 48;
    private const int Rounds = 8;

    /// <summary>Measures.</summary>
    public static void Measure(ResultTable table, Tool tool)
    {
        using TempDirectory folder = TempDirectory.InMemory();
        SyncRequest request = new()
        {
            ModelDirectory = "/nowhere",
            Handles = Publish(folder),
            Source = SourceKind.Python,
            Python = Environment.GetEnvironmentVariable("PYTHON3") ?? "/usr/bin/python3",
            ToolCommand = [tool.FilePath],
        };
        FileRules rules = FileRules.For(null);
        using PythonWeightSource python = PythonWeightSource.Open(request, CancellationToken.None);
        using HostMemorySource host = HostMemorySource.Open(HandlesFile.Read(request.Handles, rules, CancellationToken.None), rules);
        using Process child = Process.GetProcessById(python.HostProcessId);
        (Cost native, Cost torch) = (Cost.Worst, Cost.Worst);
        for (int round = 0; round < Rounds; round++)
        {
            native = native.Best(Read(host, round, child));
            torch = torch.Best(Read(python, round, child));
        }

        double gigabytes = (double)Window * Windows / 1e9;
        table.Add(
            "python source (torch in a child process), against the host-memory source",
            $"{native.Seconds / torch.Seconds:F2} × its rate ({gigabytes / torch.Seconds:F2} and {gigabytes / native.Seconds:F2} GB/s, one thread, "
                + $"best of {Rounds} in turn); by CPU of both processes {native.Processor / torch.Processor:F2} ×",
            "≥ 0.60 ×",
            native.Seconds / torch.Seconds >= 0.60
        );
    }

    private static Cost Read(IWeightSource source, int round, Process child)
    {
        byte[] buffer = new byte[Window];
        buffer.AsSpan().Fill(1); // its pages are made before the clock starts
        TimeSpan processor = Processor(child);
        long begin = Stopwatch.GetTimestamp();
        for (int i = 0; i < Windows; i++)
        {
            long offset = ((long)round * Windows + i) * Window;
            source.Read(source.Tensors[0], offset, buffer);
            if (BitConverter.ToInt64(buffer) != offset)
            {
                throw new InvalidOperationException("what was read is not what was published");
            }
        }

        return new Cost(Stopwatch.GetElapsedTime(begin).TotalSeconds, (Processor(child) - processor).TotalSeconds);
    }

    private static TimeSpan Processor(Process child)
    {
        child.Refresh();
        return Environment.CpuUsage.TotalTime + child.TotalProcessorTime;
    }

    /// <summary>One tensor, whose windows begin with their own offsets.</summary>
    private static string Publish(TempDirectory folder)
    {
        const long Bytes = (long)Window * Windows * Rounds;
        using (FileStream memory = new(folder.File("memory"), FileMode.CreateNew))
        {
            byte[] window = new byte[Window];
            new Random(1).NextBytes(window);
            for (long offset = 0; offset < Bytes; offset += Window)
            {
                BitConverter.TryWriteBytes(window, offset);
                memory.Write(window);
            }
        }

        File.SetUnixFileMode(folder.File("memory"), OneTensor.Private);
        return OneTensor.Publish(folder, new JsonObject { ["kind"] = "file", ["path"] = "memory" }, Bytes);
    }

    /// <summary>What a round cost, in seconds.</summary>
    private readonly record struct Cost(double Seconds, double Processor)
    {
        public static Cost Worst => new(double.MaxValue, double.MaxValue);

        public Cost Best(Cost other) => new(Math.Min(Seconds, other.Seconds), Math.Min(Processor, other.Processor));
    }
}
