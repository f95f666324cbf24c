using Xunit;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Rsync.Tests;

public sealed class RsyncArgumentsTests
{
    [Fact]
    public Task Every_word_of_the_nightly_transfer_is_pinned()
    {
        OffsiteOptions options = new("/models/Qwen3.5-27B", RsyncTarget.Default("/models/Qwen3.5-27B")) { BandwidthKiB = 5000, Keep = 7 };
        return Verify(
            string.Join(
                '\n',
                [
                    .. RsyncArguments.Transfer(options),
                    "",
                    .. RsyncArguments.FarShell(options, RsyncArguments.PrepareScript(options)),
                    "",
                    .. RsyncArguments.FarShell(options, RsyncArguments.PromoteScript(options, "20261124T033000Z")),
                ]
            )
        );
    }

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
        Assert.Equal(word, RsyncArguments.Quote(path));
    }

    [Fact]
    public Task Every_way_to_fail_has_a_sentence_and_a_next_step()
    {
        (int Code, string Errors)[] cases =
        [
            (255, "Host key verification failed."),
            (255, "moria@moria: Permission denied (publickey)."),
            (255, "ssh: Could not resolve hostname moria: Name or service not known"),
            (255, "ssh: connect to host moria port 22: Connection refused"),
            (11, "rsync: write failed on \"x\": No space left on device (28)"),
            (11, "rsync: read errors mapping"),
            (12, "connection unexpectedly closed"),
            (20, ""),
            (23, ""),
            (24, ""),
            (30, ""),
            (127, ""),
            (99, ""),
        ];
        return Verify(
            string.Join(
                '\n',
                cases.Select(row =>
                {
                    (string what, string next) = RsyncExit.Explain(row.Code, row.Errors, "moria");
                    return $"{row.Code} {row.Errors}\n    {what}\n    {next}";
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
