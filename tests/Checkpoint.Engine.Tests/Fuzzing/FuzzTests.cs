using System.Globalization;
using ApolloCheckpoint.TestKit.Fuzzing;
using Xunit;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Engine.Tests.Fuzzing;

/// <summary>
/// Every parser of files that somebody else may have written, against its corpus and spoilt copies of it. Seeds are fixed in a test run;
/// with APOLLO_SOAK set (minutes) they are new, and the run is as long as that.
/// </summary>
[Trait("Ring", "fuzz")]
public sealed class FuzzTests(ITestOutputHelper output)
{
    /// <summary>Spoilt files a target; what is slow to read gets fewer.</summary>
    private const int Many = 15_800;
    private const int Few = 3_000;

    private static readonly TimeSpan Hanging = TimeSpan.FromSeconds(90);

    [Fact]
    public void Two_hundred_thousand_spoilt_files_are_read_or_refused_in_bounds()
    {
        int? minutes = int.TryParse(Environment.GetEnvironmentVariable("APOLLO_SOAK"), CultureInfo.InvariantCulture, out int set)
            ? set
            : null;
        int seed = minutes is null ? 20_261_125 : Environment.TickCount;
        FuzzRun[] runs = [.. FuzzTargets.Names.Select((name, i) => new FuzzRun(name, seed + i))];
        Queue<FuzzRun> waiting = new(runs);
        List<Exception> failures = [];
        TimeSpan each = TimeSpan.FromMinutes(2.0 * (minutes ?? 0) / runs.Length);
        Thread[] workers =
        [
            .. Enumerable
                .Range(0, 2)
                .Select(_ => new Thread(() => Work(waiting, failures, minutes is null ? null : each)) { IsBackground = true }),
        ];
        Array.ForEach(workers, worker => worker.Start());
        while (!workers.All(worker => worker.Join(TimeSpan.FromSeconds(1))))
        {
            if (runs.FirstOrDefault(run => run.Waiting > Hanging) is { } run)
            {
                throw run.Kept("it is still being read after 90 s");
            }
        }

        foreach (FuzzRun run in runs)
        {
            output.WriteLine(run.ToString());
        }

        long total = runs.Sum(run => run.Inputs);
        output.WriteLine($"{total} inputs of {runs.Length} targets");
        Assert.True(failures.Count == 0, string.Join("\n", failures));
        Assert.True(total >= 200_000, $"{total} inputs");
        Assert.All(runs, run => Assert.True(run.Refused > 0 || !run.CanRefuse, $"{run.Target} refused nothing"));
    }

    /// <summary>Takes one target after another; each is read on one thread, because what a thread allocates is what is counted.</summary>
    private static void Work(Queue<FuzzRun> waiting, List<Exception> failures, TimeSpan? limit)
    {
        while (true)
        {
            FuzzRun? run;
            lock (waiting)
            {
                if (!waiting.TryDequeue(out run))
                {
                    return;
                }
            }

            try
            {
                using CancellationTokenSource end = limit is { } time ? new(time) : new();
                run.Run(
                    limit is null
                        ? run.Target == "journal"
                            ? Few
                            : Many
                        : long.MaxValue,
                    end.Token
                );
            }
            catch (Exception e)
            {
                lock (waiting)
                {
                    failures.Add(e);
                }
            }
        }
    }
}
