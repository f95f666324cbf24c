using System.Diagnostics;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Rsync.Tests;

/// <summary>A real sshd on loopback that is called moria, and what goes wrong with hosts.</summary>
public sealed class FarHostTests : IDisposable
{
    private readonly SyncedModel model = new(
        [new("a.weight", ElementType.BF16, 1500, 1024), new("b.weight", ElementType.BF16, 1500, 1024)],
        name: "-model's $(touch pwned)\\n"
    );

    public FarHostTests() => Skip.If(LoopbackHost.Missing is not null, LoopbackHost.Missing);

    [SkippableFact]
    public async Task Hostile_names_arrive_as_they_are_and_run_nowhere()
    {
        using LoopbackHost host = LoopbackHost.Start();
        string[] hostile = ["-rf", "a;b", "`touch pwned`", "new\nline", "--rsh=touch pwned", "back\\slash", "ünï", "tab\there"];
        foreach (string name in hostile)
        {
            model.Write(name, name);
        }

        model.Step();
        OffsiteOptions options = model.Options with
        {
            Target = new RsyncTarget("moria", model.File("far $(touch pwned) 'side'; touch pwned #")),
            SshCommand = host.Ssh,
        };
        OffsiteReport report = await model.Ship(options);
        model.Step();
        await model.Job(options).ShipDeltasAsync(CancellationToken.None);
        await model.Job(options).DrillAsync(CancellationToken.None);

        string current = Path.Combine(options.Target.Path, "current");
        Assert.Equal(hostile.Order(), hostile.Order().Where(name => File.ReadAllText(Path.Combine(current, name)) == name));
        Assert.Equal($"moria:{options.Target.Path}", report.Target);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(model.Far)!, "pwned", SearchOption.AllDirectories));
        Assert.False(
            File.Exists("pwned") || File.Exists(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "pwned"))
        );
    }

    [SkippableFact]
    public async Task Stranger_impostor_and_closed_door_are_told_apart_and_yesterday_stays()
    {
        using LoopbackHost host = LoopbackHost.Start();
        OffsiteOptions options = Over(host);
        model.Step();
        await model.Ship(options);
        byte[] yesterday = await File.ReadAllBytesAsync(Shard(model.Current));
        model.Step();

        File.WriteAllText(host.AuthorizedKeys, "");
        CheckpointException closed = await model.Refused(options);
        host.ChangeKnownKey();
        CheckpointException impostor = await model.Refused(options);
        File.WriteAllText(host.KnownHosts, "");
        CheckpointException stranger = await model.Refused(options);

        Assert.Contains("moria accepts no key of this user", closed.Message);
        Assert.Contains("host key of moria has changed", impostor.Message);
        Assert.Contains("host key of moria is unknown", stranger.Message);
        Assert.Equal(20, stranger.ExitCode);
        Assert.Equal(yesterday, await File.ReadAllBytesAsync(Shard(model.Current)));
    }

    [SkippableFact]
    public async Task Job_that_is_killed_midway_leaves_yesterday_whole_and_is_continued()
    {
        using LoopbackHost host = LoopbackHost.Start();
        OffsiteOptions options = Over(host);
        model.Step();
        await model.Ship(options);
        byte[] yesterday = await File.ReadAllBytesAsync(Shard(model.Current));
        model.Step();
        string[] job = ["--model-dir", model.Directory, "--target", options.Target.ToString(), "--ssh-config", host.SshConfig];
        using (Process killed = StartJob([.. job, "--once", "--bandwidth", "1M"]))
        {
            await WaitForPartAsync(1 << 20);
            killed.Kill();
            await killed.WaitForExitAsync();
        }

        // The rsync that it left alone ends, and the far one keeps what arrived.
        await WaitAsync(() => Directory.GetFiles(Path.Combine(model.Far, "incoming"), "*", SearchOption.AllDirectories).Any(IsKeptPart));
        Assert.Equal(yesterday, await File.ReadAllBytesAsync(Shard(model.Current)));
        Assert.NotNull(OffsiteState.TryRead(Engine.Storage.Disk.Instance, model.Directory)!.Running);

        OffsiteReport report = await model.Ship(options, hoursLater: 1);
        Assert.Contains(report.Did, sentence => sentence.StartsWith("continued what was cut off the last time: model-0000"));
        Assert.True(report.SentBytes < report.ModelBytes - (1 << 20) / 2, $"{report.SentBytes} of {report.ModelBytes}");
        Assert.True(model.HoldsLive(model.Current));
    }

    [SkippableFact]
    public async Task Full_disk_there_is_said_and_the_copy_is_continued_when_there_is_space()
    {
        using LoopbackHost host = LoopbackHost.Start();
        using SmallDisk? disk = SmallDisk.TryMount(model.Far, kilobytes: 7000);
        Skip.If(disk is null, "mounting a small disk is not permitted here");
        OffsiteOptions options = Over(host);
        model.Step();
        await model.Ship(options);
        byte[] yesterday = await File.ReadAllBytesAsync(Shard(model.Current));
        model.Step();

        CheckpointException e = await model.Refused(options);
        Assert.Contains("moria has no space left", e.Message);
        Assert.Equal(yesterday, await File.ReadAllBytesAsync(Shard(model.Current)));

        disk.Resize(kilobytes: 40_000);
        await model.Ship(options, hoursLater: 1);
        Assert.True(model.HoldsLive(model.Current));
    }

    [SkippableFact]
    public async Task Cable_that_is_pulled_ends_the_transfer_in_time_and_it_is_continued()
    {
        ApartNetwork? network = ApartNetwork.TryMake();
        Skip.If(network is null, "network namespaces are not permitted here");
        using LoopbackHost host = LoopbackHost.Start(network);
        OffsiteOptions options = Over(host) with { AliveSeconds = 1, BandwidthKiB = 1000 };
        model.Step();
        Task<CheckpointException> refused = model.Refused(options);
        await WaitForPartAsync(1 << 20);
        network.Cut();

        CheckpointException e = await refused;
        Assert.Contains("moria", e.Message);
        Assert.Equal(20, e.ExitCode);
        network.Mend();
        await model.Ship(options with { BandwidthKiB = 0 });
        Assert.True(model.HoldsLive(model.Current));
    }

    public void Dispose() => model.Dispose();

    private OffsiteOptions Over(LoopbackHost host) =>
        model.Options with
        {
            Target = new RsyncTarget("moria", model.Far),
            SshCommand = host.Ssh,
        };

    private static string Shard(string copy) => Path.Combine(copy, "model-00001-of-00002.safetensors");

    private static Process StartJob(string[] arguments)
    {
        string assembly = Path.Combine(AppContext.BaseDirectory, "apollo-offsite.dll");
        return Process.Start(new ProcessStartInfo("dotnet", [assembly, .. arguments]))!;
    }

    private static bool IsKeptPart(string path) => path.Contains("/.rsync-partial/", StringComparison.Ordinal);

    /// <summary>Until so many bytes of a shard arrived: in a file ".model-0000….XXXXXX", or in the folder of parts.</summary>
    private Task WaitForPartAsync(long bytes) =>
        WaitAsync(() =>
            Directory.Exists(Path.Combine(model.Far, "incoming"))
            && new DirectoryInfo(Path.Combine(model.Far, "incoming")).GetFiles(".model-*").Any(file => file.Length >= bytes)
        );

    private static async Task WaitAsync(Func<bool> isTrue)
    {
        for (int i = 0; !isTrue(); i++)
        {
            if (i > 3000)
            {
                throw new TimeoutException("it did not come to that");
            }

            await Task.Delay(20);
        }
    }
}
