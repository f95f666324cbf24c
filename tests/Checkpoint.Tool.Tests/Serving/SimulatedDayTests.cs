using System.Security.Cryptography;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Rsync;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Serving;
using Microsoft.Extensions.Time.Testing;

namespace ApolloCheckpoint.Tool.Tests.Serving;

/// <summary>
/// A day of the pipeline in seconds: the real trigger, engine and off-site service, the real rsync, a clock that jumps. 144 syncs that
/// are due, one night, three processes that die in the middle of one.
/// </summary>
public sealed class SimulatedDayTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 5, 12, 0, 0, TimeSpan.Zero);

    private readonly TempDirectory folder = TempDirectory.InMemory();
    private readonly FakeTimeProvider fake = new(Noon);
    private readonly Dictionary<long, string> witnessed = [];
    private readonly List<DateTimeOffset> good = [];
    private readonly List<long> memory = [];
    private readonly TinyModel tiny;
    private readonly LiveProducer live;
    private int calls;
    private int died;

    public SimulatedDayTests()
    {
        tiny = TinyModel.Write(folder.File("model"), TinyModel.Small, shards: 2);
        live = LiveProducer.Publish(folder.File("live"), tiny);
    }

    [SkippableFact]
    public async Task Day_with_three_crashes_and_a_night_loses_nothing_and_does_not_drift()
    {
        Skip.IfNot(File.Exists("/usr/bin/rsync"), "rsync is not installed");
        using CancellationTokenSource over = new();
        JumpingClock clock = new(fake);
        ToolConsole console = new()
        {
            Out = TextWriter.Null,
            Error = TextWriter.Null,
            Time = clock,
        };
        OffsiteOptions options = new(tiny.Path, new RsyncTarget(null, folder.File("far")));
        OffsiteService offsite = new(new OffsiteJob(options, Disk.Instance, fake), new TimeOnly(3, 30), null, Disk.Instance, fake);
        Task copies = offsite.RunAsync(over.Token);
        Trigger trigger = new(new Day(this, offsite, over), Schedule.Every(TimeSpan.FromMinutes(10)), TimeSpan.Zero, console);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trigger.RunAsync(over.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => copies);

        // Every one that was due ended well, at its time or, after a crash, at the first retry.
        Assert.Equal((144, 147, 3), (good.Count, calls, died));
        Assert.All(
            good.Select((at, i) => at - Noon.AddMinutes(10 * i)),
            late => Assert.True(late == TimeSpan.Zero || late == TimeSpan.FromSeconds(15))
        );
        Assert.Equal(3, good.Select((at, i) => at - Noon.AddMinutes(10 * i)).Count(late => late != TimeSpan.Zero));

        // Nothing is lost: the files are live, every tenth version can be had again, the copy of the night is what the files were then.
        Assert.Equal(Witness(tiny.Path), witnessed[witnessed.Keys.Max()]);
        Assert.Equal(Enumerable.Range(1, witnessed.Count).Select(version => (long)version), witnessed.Keys.Order());
        Assert.All(witnessed.Keys.Where(version => version % 20 == 0), version => Assert.Equal(witnessed[version], Restored(version)));
        OffsiteRun night = Assert.Single(offsite.Runs());
        Assert.Null(night.Failure);
        OffsiteState.CopyDone copy = OffsiteState.TryRead(Disk.Instance, tiny.Path)!.Copy!;
        Assert.Equal(new DateTimeOffset(2026, 3, 6, 3, 30, 0, TimeSpan.Zero), night.Asked);
        Assert.Equal(witnessed[copy.FilesVersion!.Value], Witness(Path.Combine(options.Target.Path, "current")));

        // Memory is flat: what is held after a day is what was held after a quarter of it, but for the history of the runs itself.
        Assert.InRange(memory[^1] - memory[0], long.MinValue, 1 << 20);
    }

    public void Dispose()
    {
        live.Dispose();
        folder.Dispose();
    }

    private string Restored(long version)
    {
        string output = folder.File($"restored-{version}");
        new HistoryEngine(tiny.Path).RestoreCopy(version, output, null, CancellationToken.None);
        return Witness(output);
    }

    private static string Witness(string model) =>
        string.Concat(
            Directory
                .GetFiles(model, "*.safetensors")
                .Order(StringComparer.Ordinal)
                .Select(shard => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(shard))))
        );

    private SyncReport Sync(IDisk disk)
    {
        SyncRequest request = new()
        {
            ModelDirectory = tiny.Path,
            Handles = live.Folder,
            Workers = 1,
        };
        return new SyncEngine(disk, fake, WeightSources.Open).Sync(request, NoProgress.Instance, CancellationToken.None);
    }

    /// <summary>The engine of the day: trains, syncs, dies three times, and waits for the night's copy when it is due.</summary>
    private sealed class Day(SimulatedDayTests test, OffsiteService offsite, CancellationTokenSource over) : IEngineCall
    {
        private bool wasKilled;

        public async Task<(bool IsGood, string Said)> SyncAsync(DateTimeOffset? next, CancellationToken cancel)
        {
            test.calls++;
            while (offsite.Next <= test.fake.GetUtcNow() || offsite.Runs().Any(run => run.State == "running"))
            {
                await Task.Delay(5, CancellationToken.None);
            }

            bool isRetry = wasKilled;
            bool dies = test.good.Count is 20 or 70 or 120 && !isRetry;
            wasKilled = dies;
            if (!isRetry)
            {
                test.live.Step(0.02, test.calls);
            }

            try
            {
                // Before the commit, after it, and in the middle of the fold.
                SyncReport report = test.Sync(dies ? new DyingDisk(Disk.Instance, 6 + 9 * test.died) : Disk.Instance);
                test.good.Add(test.fake.GetUtcNow());
                test.witnessed[report.Version] = Witness(test.tiny.Path);
                if (test.good.Count % 36 == 0)
                {
                    test.memory.Add(GC.GetTotalMemory(forceFullCollection: true));
                }

                if (test.good.Count == 144)
                {
                    over.Cancel();
                }

                return (true, $"version {report.Version}");
            }
            catch (CheckpointException e) when (dies)
            {
                test.died++;
                return (false, e.Message);
            }
        }
    }
}
