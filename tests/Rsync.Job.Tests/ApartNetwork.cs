using System.Diagnostics;

namespace ApolloCheckpoint.Rsync.Tests;

/// <summary>A network namespace behind a cable of its own (a veth pair), which can be pulled.</summary>
internal sealed class ApartNetwork : IDisposable
{
    private readonly string name;
    private readonly string near;

    private ApartNetwork(string name, string near, string farAddress)
    {
        this.name = name;
        this.near = near;
        FarAddress = farAddress;
    }

    /// <summary>The address of the other end.</summary>
    internal string FarAddress { get; }

    /// <summary>Words in front of a command that runs there.</summary>
    internal string[] Enter => ["ip", "netns", "exec", name];

    /// <summary>Makes it, or says null: not root, or not permitted.</summary>
    internal static ApartNetwork? TryMake()
    {
        int number = Random.Shared.Next(16, 240);
        int part = Random.Shared.Next(0, 64) * 4;
        (string name, string near, string far) = ($"apollo-{number}-{part}", $"apn{number}-{part}", $"apf{number}-{part}");
        if (Environment.UserName != "root" || !File.Exists("/usr/sbin/ip") || !Ip("netns", "add", name))
        {
            return null;
        }

        ApartNetwork network = new(name, near, $"10.213.{number}.{part + 2}");
        bool isMade =
            Ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
            && Ip("addr", "add", $"10.213.{number}.{part + 1}/30", "dev", near)
            && Ip("link", "set", near, "up")
            && Ip("-n", name, "addr", "add", $"{network.FarAddress}/30", "dev", far)
            && Ip("-n", name, "link", "set", far, "up")
            && Ip("-n", name, "link", "set", "lo", "up");
        if (isMade)
        {
            return network;
        }

        network.Dispose();
        return null;
    }

    /// <summary>Pulls the cable: nothing arrives any more, and nobody is told.</summary>
    internal void Cut() => Ip("link", "set", near, "down");

    /// <summary>Puts it back.</summary>
    internal void Mend() => Ip("link", "set", near, "up");

    public void Dispose() => Ip("netns", "del", name);

    private static bool Ip(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("/usr/sbin/ip", arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
