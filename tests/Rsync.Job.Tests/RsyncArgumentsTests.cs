using Xunit;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Rsync.Tests;

public sealed class RsyncArgumentsTests
{
    private static readonly OffsiteOptions Nightly = new("/models/Qwen3.5-27B", RsyncTarget.Default("/models/Qwen3.5-27B"))
    {
        BandwidthKiB = 5000,
        Keep = 7,
        SshCommand = ["ssh", "-F", "/etc/apollo/ssh config"],
    };

    [Fact]
    public Task Every_word_of_rsync_and_ssh_is_pinned()
    {
        (string Name, IReadOnlyList<string> Words)[] commands =
        [
            ("transfer", RsyncArguments.Transfer(Nightly)),
            ("transfer by content", RsyncArguments.Transfer(Nightly, byContent: true)),
            ("resume", RsyncArguments.Resume(Nightly)),
            ("pinned", RsyncArguments.Pinned(Nightly, ["/tmp/p/state.json", "/tmp/p/SHA256SUMS"])),
            ("compare", RsyncArguments.Compare(Nightly, "20261124T033000Z", byContent: false)),
            ("compare by content", RsyncArguments.Compare(Nightly, "20261124T033000Z", byContent: true)),
            ("deltas", RsyncArguments.Deltas(Nightly, "20261124T033000Z")),
            ("to a folder of this machine", RsyncArguments.Transfer(new OffsiteOptions("/m/x", new RsyncTarget(null, "/mnt/disk/x")))),
            ("far shell", RsyncArguments.FarShell(Nightly)),
        ];
        return Verify(string.Join("\n\n", commands.Select(command => $"{command.Name}\n  {string.Join("\n  ", command.Words)}")));
    }

    [Fact]
    public Task Every_script_of_the_far_side_is_pinned()
    {
        OffsiteOptions options = Nightly with { Target = new RsyncTarget("moria", "it's $(reboot) `here`") };
        (string Name, string Script)[] scripts =
        [
            ("prepare", FarScripts.Prepare(options)),
            ("look at the journal", FarScripts.LookAtJournal(options)),
            ("verify", FarScripts.Verify(options)),
            ("promote", FarScripts.Promote(options, "20261124T033000Z")),
            ("verify deltas", FarScripts.VerifyDeltas(options, "20261124T033000Z", FarScripts.Sums([("0000000042.delta", "abc")]))),
            ("fetch", FarScripts.Fetch(options, "20261124T033000Z", [("-o'x.safetensors", 4096, 100), (".apollo/digests.bin", 0, -1)])),
        ];
        return Verify(string.Join('\n', scripts.Select(script => $"# {script.Name}\n{script.Script}")));
    }

    [Fact]
    public void Names_that_sha256sum_must_escape_are_escaped() =>
        Assert.Equal("01  plain\n\\02  a\\\\b\\nc\n", FarScripts.Sums([("plain", "01"), ("a\\b\nc", "02")]));

    [Theory]
    [InlineData("moria:models/x", "moria", "models/x")]
    [InlineData("backup@moria.example.org:/srv/models/x/", "backup@moria.example.org", "/srv/models/x")]
    [InlineData("/mnt/disk/x", null, "/mnt/disk/x")]
    [InlineData("moria:a folder; rm -rf ~", "moria", "a folder; rm -rf ~")]
    public void Target_is_understood(string text, string? host, string path)
    {
        Assert.Equal(new RsyncTarget(host, path), RsyncTarget.TryParse(text, out _));
    }

    [Theory]
    [InlineData("models")]
    [InlineData("-oProxyCommand=touch x:y")]
    [InlineData("mo ria:x")]
    [InlineData("moria;reboot:x")]
    [InlineData("moria:")]
    [InlineData("moria:../x")]
    [InlineData("moria:-x")]
    [InlineData("moria:x\ny")]
    [InlineData("/")]
    public void Target_that_could_become_an_option_or_a_command_is_refused(string text)
    {
        Assert.Null(RsyncTarget.TryParse(text, out string problem));
        Assert.NotEmpty(problem);
    }

    [Theory]
    [InlineData("plain", "'plain'")]
    [InlineData("it's", @"'it'\''s'")]
    [InlineData("$(reboot) `x` \"y\"", "'$(reboot) `x` \"y\"'")]
    public void Path_is_one_word_for_the_far_shell(string path, string word)
    {
        Assert.Equal(word, FarScripts.Quote(path));
    }

    [Fact]
    public Task Every_way_to_fail_has_a_sentence_and_a_next_step()
    {
        (int Code, string Errors, bool IsScript)[] cases =
        [
            (255, "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.", true),
            (255, "Host key verification failed.", true),
            (255, "moria@moria: Permission denied (publickey).", true),
            (255, "ssh: Could not resolve hostname moria: Name or service not known", true),
            (255, "ssh: connect to host moria port 22: Connection refused", true),
            (12, "sh: 1: rsync: not found", false),
            (127, "sh: 1: sha256sum: not found", true),
            (1, "mkdir: cannot create directory: No space left on device", true),
            (1, "mkdir: cannot create directory: Read-only file system", true),
            (1, "mkdir: cannot create directory: Permission denied", true),
            (11, "rsync: write failed on \"x\": No space left on device (28)", false),
            (11, "rsync: write failed on \"x\": Disk quota exceeded (122)", false),
            (11, "rsync: read errors mapping", false),
            (12, "connection unexpectedly closed", false),
            (20, "", false),
            (23, "", false),
            (24, "", false),
            (30, "", false),
            (2, "protocol version mismatch -- is your shell clean?", false),
            (127, "", false),
            (99, "", false),
        ];
        return Verify(
            string.Join(
                '\n',
                cases.Select(row =>
                {
                    (string what, string next) = RsyncExit.Explain(row.Code, row.Errors, "moria", row.IsScript);
                    return $"{row.Code} {row.Errors.ReplaceLineEndings(" / ")}\n    {what}\n    {next}";
                })
            )
        );
    }

    [Fact]
    public void Sent_bytes_are_read_from_the_statistics()
    {
        Assert.Equal(1_234_567, RsyncStats.Find("Number of files: 3\nTotal bytes sent: 1,234,567\n", "Total bytes sent"));
        Assert.Equal(0, RsyncStats.Find("nothing", "Total bytes sent"));
    }
}
