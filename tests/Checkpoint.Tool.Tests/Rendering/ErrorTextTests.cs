using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Rendering;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Rendering;

public class ErrorTextTests
{
    [Fact]
    public async Task Failure_says_what_where_in_what_state_and_what_next()
    {
        CheckpointException failure = new(
            CheckpointError.PlanMismatch,
            "3 of 1 199 tensors on disk have no live counterpart",
            "was vLLM started with --load-format apollo? To sync the rest anyway: --allow-partial"
        )
        {
            ModelState = "/models/Qwen3.5-27B is unchanged (version 142)",
            Details =
            [
                ("missing", "model.layers.7.self_attn.q_proj.weight   expected rows 0..12288 of qkv_proj.weight, not published"),
                ("…", "2 more: apollo-checkpoint plan --mismatches"),
            ],
        };
        await Verify(Text(failure));
    }

    [Fact]
    public async Task Short_failure_is_one_line() =>
        await Verify(Text(new CheckpointException(CheckpointError.Locked, "another apollo-checkpoint is at work in /models/m")));

    [Fact]
    public async Task Cancellation_is_no_error() =>
        await Verify(
            Text(new CheckpointException(CheckpointError.Cancelled, "stopped before the commit") { ModelState = "/m is unchanged" })
        );

    [Fact]
    public async Task Text_of_several_lines_stays_aligned() =>
        await Verify(Text(new CheckpointException(CheckpointError.ShardForeign, "a", "first\nsecond") { ModelState = "m" }));

    [Fact]
    public void Defect_exits_with_one_and_shows_where()
    {
        ToolRun run = ToolRun.Run("sync", "--model-dir", "/models/m");
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("error 1: InvalidOperationException: the engine was called\n  where  at ", run.Error);
        Assert.Contains("\n  next   this is a defect of apollo-checkpoint", run.Error);
    }

    private static string Text(CheckpointException failure)
    {
        using StringWriter writer = new() { NewLine = "\n" };
        ErrorText.Write(writer, failure, colour: false);
        return writer.ToString();
    }
}
