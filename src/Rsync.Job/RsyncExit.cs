namespace ApolloCheckpoint.Rsync;

/// <summary>rsync's and ssh's ways to fail, as a sentence and a next step. Numbers: rsync(1), EXIT VALUES.</summary>
public static class RsyncExit
{
    /// <summary>What an exit code and the last lines on stderr mean.</summary>
    /// <param name="code">Exit code of rsync, or of ssh (255).</param>
    /// <param name="errors">What it wrote on stderr.</param>
    /// <param name="host">The far side, for the next step.</param>
    public static (string What, string Next) Explain(int code, string errors, string host) =>
        (code, errors) switch
        {
            (_, var text) when text.Contains("Host key verification failed", StringComparison.Ordinal) => (
                $"the host key of {host} is unknown or has changed",
                $"compare the key with the one of {host}, then: ssh-keyscan {host} >> ~/.ssh/known_hosts"
            ),
            (_, var text) when text.Contains("Permission denied (", StringComparison.Ordinal) => (
                $"{host} does not accept this user's key",
                $"ssh-copy-id {host}, and check with: ssh -o BatchMode=yes {host} true"
            ),
            (_, var text) when text.Contains("Could not resolve hostname", StringComparison.Ordinal) => (
                $"the name {host} is not known here",
                $"add {host} to ~/.ssh/config or /etc/hosts, or give another --target"
            ),
            (_, var text) when text.Contains("No space left on device", StringComparison.Ordinal) => (
                $"{host} has no space left",
                "free some there, or keep fewer snapshots with --keep"
            ),
            (255, _) => ($"no connection to {host}", $"check with: ssh -o BatchMode=yes {host} true"),
            (12 or 10, _) => ($"the connection to {host} broke off", "run it again; what arrived is kept and continued"),
            (11, _) => ($"a file could not be read or written, here or on {host}", "look at the lines above; run it again"),
            (23, _) => ("some files could not be transferred", "look at the lines above; run it again"),
            (24, _) => ("files vanished while they were read", "run it again"),
            (30 or 35, _) => ($"{host} did not answer in time", "run it again; what arrived is kept and continued"),
            (127, _) => (
                $"rsync or ssh is not installed, here or on {host}",
                "install rsync and an ssh client (Debian: apt-get install rsync openssh-client)"
            ),
            (20, _) => ("the transfer was interrupted", "run it again; what arrived is kept and continued"),
            _ => ($"rsync ended with code {code}", "look at the lines above; run it again"),
        };
}
