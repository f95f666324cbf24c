namespace ApolloCheckpoint.Rsync;

/// <summary>
/// The command lines of the off-site job: pure functions of the options, so that a test can hold every word of them.
/// <code>
/// PATH/incoming/            where a night's copy is built; survives an interrupted night and is resumed
/// PATH/snapshots/STAMP/     finished copies; unchanged files are hard links to the copy before
/// PATH/current              link to the newest finished copy, replaced in one step
/// </code>
/// </summary>
public static class RsyncArguments
{
    /// <summary>Files that only mean something on this machine, or only while a command runs.</summary>
    private static readonly string[] Excluded =
    [
        "/.apollo/lock",
        "/.apollo/shards.lock",
        "/.apollo/redo/",
        "/.apollo/journal/.writing.delta",
        "*.folding",
    ];

    /// <summary>Arguments of rsync for one transfer into <c>incoming</c>.</summary>
    public static IReadOnlyList<string> Transfer(OffsiteOptions options) =>
        [
            "--archive",
            "--delete-after",
            // Half a shard that was cut off is continued the next time instead of being sent again.
            "--partial-dir=.rsync-partial",
            // Where weights changed everywhere, the delta search costs more than it saves (docs/offsite.md); new files come whole.
            "--whole-file",
            "--link-dest=../current",
            // The far side's shell never sees the path.
            "--protect-args",
            "--timeout=300",
            "--stats",
            .. options.BandwidthKiB > 0 ? [$"--bwlimit={options.BandwidthKiB}"] : Array.Empty<string>(),
            .. Excluded.Select(pattern => "--exclude=" + pattern),
            .. options.Target.Host is null ? [] : new[] { "--rsh=" + Rsh(options) },
            "--",
            options.ModelDirectory.TrimEnd('/') + "/",
            (options.Target.Host is null ? "" : options.Target.Host + ":") + options.Target.Path + "/incoming/",
        ];

    /// <summary>The words that run a shell script on the far side: ssh and its options, or a local shell.</summary>
    public static IReadOnlyList<string> FarShell(OffsiteOptions options, string script) =>
        options.Target.Host is null ? ["sh", "-c", script] : [.. options.SshCommand, .. SshOptions, "--", options.Target.Host, script];

    /// <summary>Makes the folders before the first transfer.</summary>
    public static string PrepareScript(OffsiteOptions options) =>
        $"set -e; umask 077; mkdir -p {Quote(options.Target.Path)}/snapshots {Quote(options.Target.Path)}/incoming";

    /// <summary>
    /// Makes <c>incoming</c> the current snapshot, then removes the oldest ones. Every step can be repeated: the copy is renamed, the
    /// link is made beside and renamed over the old one.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="stamp">Name of the snapshot, digits and letters only, sorted by time: 20261124T033000Z.</param>
    public static string PromoteScript(OffsiteOptions options, string stamp) =>
        $"set -e; cd {Quote(options.Target.Path)}; sync -f incoming 2>/dev/null || sync; "
        + $"mv -T incoming snapshots/{stamp}; ln -sfn snapshots/{stamp} .current-new; mv -T .current-new current; "
        + $"ls -1 snapshots | sort -r | tail -n +{options.Keep + 1} | while IFS= read -r old; do rm -rf -- \"snapshots/$old\"; done";

    /// <summary>A word for a POSIX shell, whatever it holds.</summary>
    public static string Quote(string word) => "'" + word.Replace("'", @"'\''", StringComparison.Ordinal) + "'";

    // BatchMode: never a prompt at 03:30. The two Alive options notice a far side that vanished.
    private static readonly string[] SshOptions =
    [
        "-o",
        "BatchMode=yes",
        "-o",
        "ConnectTimeout=20",
        "-o",
        "ServerAliveInterval=15",
        "-o",
        "ServerAliveCountMax=4",
    ];

    private static string Rsh(OffsiteOptions options) => string.Join(' ', options.SshCommand.Concat(SshOptions).Select(RsyncWord));

    // rsync splits --rsh at blanks and understands quotes; a word without either needs none.
    private static string RsyncWord(string word) =>
        word.Any(c => c is ' ' or '\'' or '"') ? "\"" + word.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : word;
}
