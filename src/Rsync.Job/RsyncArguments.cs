using System.Globalization;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// The rsync and ssh command lines of the off-site job: pure functions of the options, so that a test can hold every word of them.
/// What runs on the far side besides rsync: <see cref="FarScripts"/>.
/// </summary>
public static class RsyncArguments
{
    /// <summary>Where rsync keeps the part of a file that was cut off.</summary>
    internal const string PartialFolder = ".rsync-partial";

    /// <summary>
    /// Of our own folder only the deltas travel with the model; state and digests follow, as they were when the shards were held still
    /// (<see cref="Pinned"/>). What is not named here (locks, redo, tokens, whatever comes later) stays on this machine.
    /// </summary>
    private static readonly string[] Filters =
    [
        "--exclude=/.apollo/journal/.writing.delta",
        "--include=/.apollo/",
        "--include=/.apollo/journal/",
        "--include=/.apollo/journal.before-*/",
        "--include=/.apollo/journal*/*.delta",
        "--exclude=/.apollo/**",
        "--filter=protect /.apollo/",
        "--exclude=*.folding",
        "--exclude=*.restoring",
        "--exclude=" + PartialFolder,
    ];

    /// <summary>The whole model into <c>incoming</c>; files that did not change become hard links to the copy before.</summary>
    /// <param name="options">The options.</param>
    /// <param name="byContent">Compare contents instead of length and time: a file that rotted on the far side is sent again.</param>
    public static IReadOnlyList<string> Transfer(OffsiteOptions options, bool byContent = false) =>
        [
            .. Common(options),
            "--delete-after",
            // Where weights changed everywhere, the delta search costs more than it saves (docs/offsite.md); new files come whole.
            "--whole-file",
            "--link-dest=../current",
            .. byContent ? ["--checksum"] : Array.Empty<string>(),
            .. Filters,
            "--",
            options.ModelDirectory.TrimEnd('/') + "/",
            Far(options, "incoming/"),
        ];

    /// <summary>
    /// Files that were cut off, their names on standard input: only the delta search uses the part that arrived, and of these files it
    /// is worth it.
    /// </summary>
    public static IReadOnlyList<string> Resume(OffsiteOptions options) =>
        [
            .. Common(options),
            "--no-whole-file",
            "--from0",
            "--files-from=-",
            "--",
            options.ModelDirectory.TrimEnd('/') + "/",
            Far(options, "incoming/"),
        ];

    /// <summary>State, digests and the list of SHA-256 sums, from a temporary folder.</summary>
    public static IReadOnlyList<string> Pinned(OffsiteOptions options, IReadOnlyList<string> files) =>
        [.. Common(options), "--", .. files, Far(options, "incoming/.apollo/")];

    /// <summary>Which of the far journal's deltas would be replaced by one of ours: names of files that differ, one a line.</summary>
    /// <param name="options">The options.</param>
    /// <param name="snapshot">Name of the snapshot.</param>
    /// <param name="byContent">Compare contents; the names are then on standard input.</param>
    public static IReadOnlyList<string> Compare(OffsiteOptions options, string snapshot, bool byContent) =>
        [
            "--dry-run",
            "--times",
            "--existing",
            "--out-format=%i %n",
            "--protect-args",
            "--timeout=300",
            .. byContent ? ["--checksum", "--from0", "--files-from=-"] : new[] { "--recursive", "--include=/*.delta", "--exclude=*" },
            .. Rsh(options),
            "--",
            Journal(options),
            Far(options, $"snapshots/{snapshot}/.apollo/journal/"),
        ];

    /// <summary>New deltas, their names on standard input, into a snapshot's journal. A name that is there is never touched.</summary>
    public static IReadOnlyList<string> Deltas(OffsiteOptions options, string snapshot) =>
        [
            .. Common(options),
            "--whole-file",
            "--ignore-existing",
            "--from0",
            "--files-from=-",
            "--",
            Journal(options),
            Far(options, $"snapshots/{snapshot}/.apollo/journal/"),
        ];

    /// <summary>
    /// The words that start a shell on the far side; its script comes on standard input, so that the login shell there, whatever it
    /// is, sees one constant word.
    /// </summary>
    public static IReadOnlyList<string> FarShell(OffsiteOptions options) =>
        options.Target.Host is null ? ["sh"] : [.. options.SshCommand, .. SshOptions(options), "--", options.Target.Host, "sh"];

    /// <summary>BatchMode: never a prompt at 03:30. The two Alive options notice a far side that vanished.</summary>
    private static string[] SshOptions(OffsiteOptions options) =>
        [
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=20",
            "-o",
            string.Create(CultureInfo.InvariantCulture, $"ServerAliveInterval={options.AliveSeconds}"),
            "-o",
            "ServerAliveCountMax=4",
        ];

    private static string[] Common(OffsiteOptions options) =>
        [
            "--archive",
            "--no-devices",
            "--no-specials",
            // A shard that is a link into a hub's cache travels as the file it leads to.
            "--copy-unsafe-links",
            // Half a shard that was cut off is continued the next time (Resume).
            "--partial-dir=" + PartialFolder,
            // The far side's shell never sees the path.
            "--protect-args",
            "--timeout=300",
            "--stats",
            // Written all the time: should this process be killed, rsync ends at its next line instead of going on alone.
            "--info=progress2",
            "--outbuf=N",
            .. options.BandwidthKiB > 0
                ? [string.Create(CultureInfo.InvariantCulture, $"--bwlimit={options.BandwidthKiB}")]
                : Array.Empty<string>(),
            .. Rsh(options),
        ];

    private static string[] Rsh(OffsiteOptions options) =>
        options.Target.Host is null ? [] : ["--rsh=" + string.Join(' ', options.SshCommand.Concat(SshOptions(options)).Select(RsyncWord))];

    // rsync splits --rsh at blanks and understands quotes; a word without either needs none.
    private static string RsyncWord(string word) =>
        word.Any(c => c is ' ' or '\'' or '"') ? "\"" + word.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : word;

    private static string Journal(OffsiteOptions options) => options.ModelDirectory.TrimEnd('/') + "/.apollo/journal/";

    private static string Far(OffsiteOptions options, string name) =>
        (options.Target.Host is null ? "" : options.Target.Host + ":") + options.Target.Path + "/" + name;
}
