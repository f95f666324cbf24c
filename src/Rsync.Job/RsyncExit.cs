namespace ApolloCheckpoint.Rsync;

/// <summary>The ways of rsync, ssh and the far shell to fail, as a sentence and a next step. Numbers: rsync(1), EXIT VALUES; ssh(1).</summary>
public static class RsyncExit
{
    private const string Again = "run it again; what arrived is kept and continued";
    private const string Lines = "look at the lines above; run it again";

    /// <summary>What an exit code and the lines on stderr mean.</summary>
    /// <param name="code">Exit code of rsync, of the far script, or of ssh (255).</param>
    /// <param name="errors">What it wrote on stderr.</param>
    /// <param name="host">The far side, for the next step.</param>
    /// <param name="isScript">Whether a script ran there, and not rsync.</param>
    public static (string What, string Next) Explain(int code, string errors, string host, bool isScript = false)
    {
        foreach ((string text, string what, string next) in Sentences(host))
        {
            if (errors.Contains(text, StringComparison.Ordinal))
            {
                return (what, next);
            }
        }

        return code switch
        {
            255 => ($"no connection to {host}, or it was cut", $"check with: ssh -o BatchMode=yes {host} true; {Again}"),
            127 => Missing("rsync, ssh or a command", "rsync openssh-client coreutils", $"here or on {host}"),
            _ when isScript => ($"a command on {host} failed with code {code}", Lines),
            10 or 12 => ($"the connection to {host} broke off", Again),
            11 => ($"a file could not be read or written, here or on {host}", Lines),
            20 => ("the transfer was interrupted", Again),
            23 => ("some files could not be transferred", Lines),
            24 => ("files vanished while they were read", "run it again"),
            30 or 35 => ($"{host} did not answer in time", Again),
            1 or 2 or 4 => ($"the rsync here and the one on {host} do not understand each other", "both must be rsync 3.1 or newer"),
            _ => ($"rsync ended with code {code}", Lines),
        };
    }

    /// <summary>What ssh, rsync and shells write, in the order of trust: the first that is found explains the rest.</summary>
    private static (string Text, string What, string Next)[] Sentences(string host) =>
        [
            (
                "REMOTE HOST IDENTIFICATION HAS CHANGED",
                $"the host key of {host} has changed: it is another machine, or somebody stands between",
                $"ask who runs {host}; only if the change is meant: ssh-keygen -R {host}, then as for an unknown key"
            ),
            (
                "Host key verification failed",
                $"the host key of {host} is unknown here, and at night nobody is there to confirm it (BatchMode)",
                $"once, as the user that runs this: ssh {host} true, and compare the fingerprint with the one of {host}"
            ),
            (
                "Permission denied (",
                $"{host} accepts no key of this user that works without a passphrase being typed (BatchMode)",
                $"ssh-copy-id {host}, and check with: ssh -o BatchMode=yes {host} true"
            ),
            (
                "Could not resolve hostname",
                $"the name {host} is not known here",
                $"add {host} to ~/.ssh/config or /etc/hosts, or give another --target"
            ),
            ("No space left on device", $"{host} has no space left", Space),
            ("Disk quota exceeded", $"the quota on {host} is used up", Space),
            ("Read-only file system", $"the folder on {host} is read-only", $"mount it writable on {host}, or give another --target"),
            Named("rsync: not found", "rsync", "rsync", host),
            Named("rsync: command not found", "rsync", "rsync", host),
            Named("sha256sum: not found", "sha256sum", "coreutils", host),
            Named("sha256sum: command not found", "sha256sum", "coreutils", host),
        ];

    private static string Space => "free some there, or keep fewer snapshots with --keep; what arrived is kept and continued";

    private static (string, string, string) Named(string text, string program, string package, string host)
    {
        (string what, string next) = Missing(program, package, $"on {host}");
        return (text, what, next);
    }

    private static (string What, string Next) Missing(string program, string packages, string where) =>
        ($"{program} is not installed {where}", $"install it (Debian: apt-get install {packages})");
}
