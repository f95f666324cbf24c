using System.Globalization;
using System.Text;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// The few shell scripts that run on the far side, pure functions too. A script is one compound command, so that a connection that is
/// cut while it travels runs nothing of it; every word that comes from outside is quoted. They need a POSIX shell and GNU coreutils.
/// <code>
/// PATH/incoming/            where a night's copy is built; survives an interrupted night and is continued
/// PATH/snapshots/STAMP/     finished copies; unchanged files are hard links to the copy before
/// PATH/current              link to the newest finished copy, replaced in one step
/// </code>
/// </summary>
public static class FarScripts
{
    /// <summary>Name of the list of SHA-256 sums in a copy, from the copy's root.</summary>
    internal const string SumsName = ".apollo/SHA256SUMS";

    private const string Stamps = @"grep -x '[0-9]\{8\}T[0-9]\{6\}Z'";

    /// <summary>
    /// Makes the folders; says which snapshot is current and which files were cut off: "current", then names, each ended by a NUL.
    /// </summary>
    public static string Prepare(OffsiteOptions options) =>
        Script(
            options,
            makeFolder: true,
            "mkdir -p snapshots incoming/.apollo",
            @"printf '%s\0' ""$(readlink current || true)""",
            $"find incoming -type f -path '*/{RsyncArguments.PartialFolder}/*' -print0"
        );

    /// <summary>Says which snapshot is current, then the names in its journal, one a line. Ends well where there is nothing.</summary>
    public static string LookAtJournal(OffsiteOptions options) =>
        Compound([
            $"cd {Quote(options.Target.Path)} 2>/dev/null || exit 0",
            "readlink current || exit 0",
            "cat current/.apollo/state.json 2>/dev/null | tr -d '\\n' || true",
            "echo",
            "ls -1 current/.apollo/journal 2>/dev/null || true",
        ]);

    /// <summary>Reads the whole copy there and compares it with the sums; prints what differs.</summary>
    public static string Verify(OffsiteOptions options) =>
        Script(options, makeFolder: false, "cd incoming", $"sha256sum --check --strict --quiet {SumsName} >&2");

    /// <summary>
    /// Makes <c>incoming</c> the current snapshot, then removes the oldest ones. Every step can be repeated: the copy is renamed, the
    /// link is made beside and renamed over the old one. A folder that is not named as a snapshot is not ours to remove.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="stamp">Name of the snapshot, digits and letters only, sorted by time: 20261124T033000Z.</param>
    public static string Promote(OffsiteOptions options, string stamp) =>
        Script(
            options,
            makeFolder: false,
            "sync -f incoming 2>/dev/null || sync",
            $"mv -T incoming snapshots/{stamp}",
            $"ln -sfn snapshots/{stamp} .current-new",
            "mv -T .current-new current",
            "sync -f current 2>/dev/null || sync",
            string.Create(
                CultureInfo.InvariantCulture,
                $"ls -1 snapshots | {Stamps} | sort -r | tail -n +{options.Keep + 1} | while IFS= read -r old; do"
            ),
            $"[ \"$old\" = {stamp} ] || rm -rf -- \"snapshots/$old\"",
            "done"
        );

    /// <summary>Compares deltas that just arrived with their sums (text of <see cref="Sums"/>), and makes them durable.</summary>
    public static string VerifyDeltas(OffsiteOptions options, string snapshot, string sums) =>
        Script(
            options,
            makeFolder: false,
            $"cd snapshots/{snapshot}/.apollo/journal",
            $"printf '%s' {Quote(sums)} | sha256sum --check --strict --quiet >&2",
            "sync -f . 2>/dev/null || sync"
        );

    /// <summary>Sends parts of files of the current copy, one after the other and nothing between them.</summary>
    /// <param name="options">The options.</param>
    /// <param name="snapshot">Name of the snapshot.</param>
    /// <param name="parts">File names from the copy's root, and bytes from the start of the file; a negative length is the rest.</param>
    public static string Fetch(OffsiteOptions options, string snapshot, IEnumerable<(string Name, long Offset, long Length)> parts) =>
        Script(
            options,
            makeFolder: false,
            [
                $"cd snapshots/{snapshot}",
                .. parts.Select(part =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"dd status=none bs=1M iflag=skip_bytes,count_bytes,fullblock skip={part.Offset} {(part.Length < 0 ? "" : $"count={part.Length} ")}if={Quote("./" + part.Name)}"
                    )
                ),
            ]
        );

    /// <summary>A word for a POSIX shell, whatever it holds.</summary>
    public static string Quote(string word) => "'" + word.Replace("'", @"'\''", StringComparison.Ordinal) + "'";

    /// <summary>A list as sha256sum writes and reads it; a name with a backslash or a line break is escaped as it does that.</summary>
    public static string Sums(IEnumerable<(string Name, string Sha256)> files)
    {
        StringBuilder text = new();
        foreach ((string name, string sum) in files)
        {
            string escaped = name.Replace(@"\", @"\\", StringComparison.Ordinal)
                .Replace("\n", @"\n", StringComparison.Ordinal)
                .Replace("\r", @"\r", StringComparison.Ordinal);
            text.Append(escaped == name ? "" : @"\").Append(sum).Append("  ").Append(escaped).Append('\n');
        }

        return text.ToString();
    }

    private static string Script(OffsiteOptions options, bool makeFolder, params string[] lines)
    {
        string path = Quote(options.Target.Path);
        string[] enter = makeFolder ? [$"mkdir -p {path}", $"cd {path}"] : [$"cd {path}"];
        return Compound([.. enter, .. lines]);
    }

    /// <summary>One command as far as a shell is concerned: it runs nothing before it has read the closing brace.</summary>
    private static string Compound(string[] lines) => string.Join('\n', ["{", "set -e", "umask 077", .. lines, "exit 0", "}", ""]);
}
