using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Rsync.Tests;

/// <summary>The real rsync, to a folder of this machine and to a real sshd on loopback.</summary>
public sealed class OffsiteJobTests : IDisposable
{
    private readonly TempDirectory folder = new();
    private readonly string model;
    private readonly string far;

    public OffsiteJobTests()
    {
        model = folder.File("tiny model's");
        far = folder.File("far side's");
        Directory.CreateDirectory(Path.Combine(model, ".apollo", "journal"));
        Write("model.safetensors", "weights 1");
        Write("config.json", "{}");
        Write(".apollo/digests.bin", "digests");
        Write(".apollo/journal/0000000001.delta", "delta 1");
    }

    [SkippableFact]
    public async Task Model_and_journal_arrive_and_become_current()
    {
        SkipWithoutRsync();
        Write(".apollo/lock", "");
        Write(".apollo/shards.lock", "");
        Write(".apollo/journal/.writing.delta", "half");

        OffsiteReport report = await Job(Local()).RunAsync(CancellationToken.None);

        Assert.Equal(
            [".apollo/digests.bin", ".apollo/journal/0000000001.delta", "config.json", "model.safetensors"],
            Files(Path.Combine(far, "current"))
        );
        Assert.Equal(far, report.Target);
        Assert.Equal([report.Snapshot], Directory.GetDirectories(Path.Combine(far, "snapshots")).Select(Path.GetFileName));
        Assert.True(report.ModelBytes > 0);
    }

    [SkippableFact]
    public async Task Files_that_did_not_change_are_links_to_the_night_before()
    {
        SkipWithoutRsync();
        OffsiteReport first = await Job(Local()).RunAsync(CancellationToken.None);
        Write(".apollo/journal/0000000002.delta", "delta 2");
        OffsiteReport second = await Job(Local(), hoursLater: 24).RunAsync(CancellationToken.None);

        FileEntry weights = Stat(Path.Combine(far, "snapshots", first.Snapshot, "model.safetensors"));
        Assert.Equal(weights, Stat(Path.Combine(far, "current", "model.safetensors")));
        Assert.Equal(2, weights.Links);
        Assert.Contains(".apollo/journal/0000000002.delta", Files(Path.Combine(far, "current")));
        Assert.DoesNotContain(".apollo/journal/0000000002.delta", Files(Path.Combine(far, "snapshots", first.Snapshot)));
        Assert.NotEqual(first.Snapshot, second.Snapshot);
    }

    [SkippableFact]
    public async Task Old_snapshots_are_removed_and_the_newest_stays()
    {
        SkipWithoutRsync();
        List<string> made = [];
        for (int night = 0; night < 4; night++)
        {
            OffsiteReport report = await Job(Local() with { Keep = 2 }, hoursLater: 24 * night).RunAsync(CancellationToken.None);
            made.Add(report.Snapshot);
        }

        Assert.Equal(made[2..], Directory.GetDirectories(Path.Combine(far, "snapshots")).Select(Path.GetFileName).Order());
        Assert.NotEmpty(Files(Path.Combine(far, "current")));
    }

    [SkippableFact]
    public async Task Half_folded_model_is_not_shipped()
    {
        SkipWithoutRsync();
        Write("model.safetensors.folding", "half");
        CheckpointException e = await Assert.ThrowsAsync<CheckpointException>(() =>
            Job(Local() with { LockWait = TimeSpan.Zero }).RunAsync(CancellationToken.None)
        );
        Assert.Equal(CheckpointError.ShardsHeld, e.Error);
        Assert.False(Directory.Exists(Path.Combine(far, "current")));
    }

    [SkippableFact]
    public async Task Fold_at_work_is_waited_for()
    {
        SkipWithoutRsync();
        using (IDisposable? fold = Disk.Instance.TryLock(Path.Combine(model, ".apollo", "shards.lock"), shared: false))
        {
            Assert.NotNull(fold);
            CheckpointException e = await Assert.ThrowsAsync<CheckpointException>(() =>
                Job(Local() with { LockWait = TimeSpan.Zero }).RunAsync(CancellationToken.None)
            );
            Assert.Equal(CheckpointError.ShardsHeld, e.Error);
        }

        await Job(Local()).RunAsync(CancellationToken.None);
    }

    [SkippableFact]
    public async Task Model_arrives_at_a_host_through_a_real_sshd()
    {
        Skip.If(LoopbackHost.Missing is not null, LoopbackHost.Missing);
        using LoopbackHost host = LoopbackHost.Start();
        OffsiteOptions options = new(model, new RsyncTarget("moria", far)) { SshCommand = host.Ssh };

        OffsiteReport report = await Job(options).RunAsync(CancellationToken.None);

        Assert.Equal($"moria:{far}", report.Target);
        Assert.Equal("weights 1", await File.ReadAllTextAsync(Path.Combine(far, "current", "model.safetensors")));
    }

    [SkippableFact]
    public async Task Stranger_and_closed_door_are_told_apart_and_yesterday_stays()
    {
        Skip.If(LoopbackHost.Missing is not null, LoopbackHost.Missing);
        using LoopbackHost host = LoopbackHost.Start();
        OffsiteOptions options = new(model, new RsyncTarget("moria", far)) { SshCommand = host.Ssh };
        await Job(options).RunAsync(CancellationToken.None);
        Write("model.safetensors", "weights 2");

        File.WriteAllText(host.AuthorizedKeys, "");
        CheckpointException closed = await Assert.ThrowsAsync<CheckpointException>(() => Job(options).RunAsync(CancellationToken.None));
        File.WriteAllText(host.KnownHosts, "");
        CheckpointException stranger = await Assert.ThrowsAsync<CheckpointException>(() => Job(options).RunAsync(CancellationToken.None));

        Assert.Contains("does not accept this user's key", closed.Message);
        Assert.Contains("host key of moria is unknown", stranger.Message);
        Assert.Equal(20, stranger.ExitCode);
        Assert.Equal("weights 1", await File.ReadAllTextAsync(Path.Combine(far, "current", "model.safetensors")));
    }

    [Fact]
    public async Task Missing_rsync_is_said_with_the_way_to_get_it()
    {
        OffsiteOptions options = Local() with { RsyncProgram = "/nonexistent/rsync" };
        CheckpointException e = await Assert.ThrowsAsync<CheckpointException>(() => Job(options).RunAsync(CancellationToken.None));
        Assert.Contains("not installed", e.Message);
        Assert.Contains("apt-get install rsync", e.Next);
    }

    public void Dispose() => folder.Dispose();

    private static void SkipWithoutRsync() => Skip.IfNot(File.Exists("/usr/bin/rsync"), "rsync is not installed");

    private static FileEntry Stat(string path) => Disk.Instance.Stat(path) ?? throw new FileNotFoundException(path);

    private static string[] Files(string root) =>
        [
            .. Directory
                .GetFiles(root, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(root, path))
                .Order(StringComparer.Ordinal),
        ];

    private OffsiteOptions Local() => new(model, new RsyncTarget(null, far));

    private static OffsiteJob Job(OffsiteOptions options, int hoursLater = 0)
    {
        Microsoft.Extensions.Time.Testing.FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 24, 3, 30, 0, TimeSpan.Zero));
        time.Advance(TimeSpan.FromHours(hoursLater));
        return new OffsiteJob(options, Disk.Instance, time);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(model, name), text);
}
