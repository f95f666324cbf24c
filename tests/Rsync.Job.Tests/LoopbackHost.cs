using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ApolloCheckpoint.TestKit;

namespace ApolloCheckpoint.Rsync.Tests;

/// <summary>A real sshd on loopback that answers to the name <c>moria</c>, with keys of its own in a temp folder.</summary>
internal sealed class LoopbackHost : IDisposable
{
    private const string Server = "/usr/sbin/sshd";
    private readonly TempDirectory folder;
    private readonly Process server;

    private readonly ApartNetwork? network;

    private LoopbackHost(TempDirectory folder, Process server, ApartNetwork? network) =>
        (this.folder, this.server, this.network) = (folder, server, network);

    /// <summary>Why there can be none here, or null.</summary>
    internal static string? Missing =>
        File.Exists(Server) && File.Exists("/usr/bin/ssh") && File.Exists("/usr/bin/rsync") ? null : "rsync, ssh or sshd is not installed";

    /// <summary>The ssh command whose configuration knows moria.</summary>
    internal IReadOnlyList<string> Ssh => ["ssh", "-F", folder.File("ssh_config")];

    /// <summary>The file of known host keys; emptying it makes the host a stranger.</summary>
    internal string KnownHosts => folder.File("known_hosts");

    /// <summary>The file of accepted keys; emptying it locks us out.</summary>
    internal string AuthorizedKeys => folder.File("authorized_keys");

    /// <summary>The configuration file of ssh that knows moria.</summary>
    internal string SshConfig => folder.File("ssh_config");

    /// <summary>Gives the host another key: from now on it is another machine.</summary>
    internal void ChangeKnownKey()
    {
        Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.File("other_key"));
        File.WriteAllText(KnownHosts, $"moria {File.ReadAllText(folder.File("other_key.pub"))}");
    }

    /// <summary>Starts it.</summary>
    /// <param name="network">A network that can be cut, or null: the loopback.</param>
    internal static LoopbackHost Start(ApartNetwork? network = null)
    {
        TempDirectory folder = new();
        int port = network is null ? FreePort() : 2222;
        string address = network?.FarAddress ?? "127.0.0.1";
        Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.File("host_key"));
        Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.File("user_key"));
        File.Copy(folder.File("user_key.pub"), folder.File("authorized_keys"));
        File.WriteAllText(folder.File("known_hosts"), $"moria {File.ReadAllText(folder.File("host_key.pub"))}");
        File.WriteAllText(
            folder.File("ssh_config"),
            $"""
            Host moria
              HostName {address}
              Port {port}
              HostKeyAlias moria
              User {Environment.UserName}
              IdentityFile {folder.File("user_key")}
              IdentitiesOnly yes
              UserKnownHostsFile {folder.File("known_hosts")}
              GlobalKnownHostsFile /dev/null

            """
        );
        File.WriteAllText(
            folder.File("sshd_config"),
            $"""
            ListenAddress {address}
            Port {port}
            HostKey {folder.File("host_key")}
            AuthorizedKeysFile {folder.File("authorized_keys")}
            PidFile none
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin yes
            SetEnv SHLVL=2

            """
        );
        // SHLVL: a bash that believes to be an inner one leaves the user's .bashrc out, which may take seconds and is none of ours.
        // sshd as root wants its empty folder for privilege separation.
        if (Environment.UserName == "root")
        {
            Directory.CreateDirectory("/run/sshd");
        }

        string[] words = [.. network?.Enter ?? [], Server, "-D", "-e", "-f", folder.File("sshd_config")];
        ProcessStartInfo start = new(words[0], words[1..]) { RedirectStandardError = true };
        Process server = Process.Start(start) ?? throw new InvalidOperationException("sshd did not start");
        server.BeginErrorReadLine();
        WaitUntilItAnswers(address, port);
        return new LoopbackHost(folder, server, network);
    }

    public void Dispose()
    {
        server.Kill(entireProcessTree: true);
        server.WaitForExit();
        server.Dispose();
        network?.Dispose();
        folder.Dispose();
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static void WaitUntilItAnswers(string address, int port)
    {
        for (int i = 0; ; i++)
        {
            try
            {
                using TcpClient client = new(address, port);
                return;
            }
            catch (SocketException) when (i < 200)
            {
                Thread.Sleep(50);
            }
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} exited with {process.ExitCode}");
        }
    }
}
