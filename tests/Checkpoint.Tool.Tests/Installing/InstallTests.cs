using System.Diagnostics;
using ApolloCheckpoint.TestKit;
using ApolloCheckpoint.Tool.Installing;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Installing;

/// <summary>What <c>install</c> prints, and that systemd and sh understand it.</summary>
public sealed class InstallTests
{
    private static readonly InstallPlan Plan = new(
        "/models/Qwen3.5-27B",
        "/run/user/1000/apollo",
        null,
        "vllm",
        ["/usr/local/bin/apollo-checkpoint"]
    );

    private static readonly InstallPlan Hostile = Plan with
    {
        ModelDirectory = "/models/50% \"of\" $HOME's; x",
        Target = "moria:a folder/$(reboot) 100%",
    };

    [Fact]
    public Task Units_are_these() => Verify(UnitText.Of(Plan, null));

    [Fact]
    public Task Crontab_lines_are_these() => Verify(CrontabText.Of(Plan) + "\n" + CrontabText.Of(Hostile));

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Units_are_accepted_by_systemd(bool isHostile)
    {
        Skip.IfNot(File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is not installed");
        using TempDirectory folder = new();
        // What a unit starts and names must exist; this program stands for the tool.
        string model = Directory.CreateDirectory(folder.File(isHostile ? "50% \"of\" $HOME's; x" : "model")).FullName;
        InstallPlan plan = (isHostile ? Hostile : Plan) with
        {
            ModelDirectory = model,
            User = "root",
            Program = ["/usr/bin/env", "apollo"],
        };
        foreach (string unit in (string[])["engine", "trigger", "offsite"])
        {
            File.WriteAllText(folder.File($"apollo-checkpoint-{unit}.service"), UnitText.Of(plan, unit));
        }

        string[] files = Directory.GetFiles(folder.Path, "*.service");
        using Process verify = Process.Start(
            new ProcessStartInfo("systemd-analyze", ["verify", "--man=no", .. files]) { RedirectStandardError = true }
        )!;
        string[] complaints =
        [
            .. verify.StandardError.ReadToEnd().Split('\n').Where(line => line.Contains("apollo-checkpoint-", StringComparison.Ordinal)),
        ];
        verify.WaitForExit();
        Assert.Empty(complaints);
    }

    [Fact]
    public void Word_of_a_crontab_line_is_one_word_for_sh()
    {
        string line = CrontabText.Of(Hostile).Split('\n').Single(line => line.StartsWith("*/10", StringComparison.Ordinal));
        // What cron does: the first five fields off, escaped percent signs back.
        string command = line["*/10 * * * * ".Length..].Replace(@"\%", "%").Replace("/usr/local/bin/apollo-checkpoint", "printf '%s\\n'");
        ProcessStartInfo start = new("sh", ["-c", command.Replace(">/dev/null", "")]) { RedirectStandardOutput = true };
        using Process sh = Process.Start(start)!;
        Assert.Equal(
            ["sync", "--model-dir", Hostile.ModelDirectory, "--handles", Hostile.Handles],
            sh.StandardOutput.ReadToEnd().TrimEnd('\n').Split('\n')
        );
    }

    [Theory]
    [InlineData("--systemd", "--cron")]
    [InlineData("--systemd", "--unit", "other")]
    [InlineData("--cron", "--user", "a;b")]
    [InlineData]
    public void What_makes_no_sense_is_refused(params string[] options) =>
        Assert.Equal(2, ToolRun.Run(["install", "--model-dir", "/m", .. options]).ExitCode);

    [Fact]
    public void Control_character_in_a_path_is_refused() =>
        Assert.Equal(2, ToolRun.Run("install", "--cron", "--model-dir", "/m\nx * * * * reboot").ExitCode);
}
