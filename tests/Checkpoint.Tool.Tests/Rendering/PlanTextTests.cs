using ApolloCheckpoint.Engine.Planning;
using ApolloCheckpoint.Tool.Rendering;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Rendering;

public class PlanTextTests
{
    private static readonly PlanDescription Good = new()
    {
        Family = "Qwen3.5",
        Rows =
        [
            new(
                "lm.layers.0.in_proj_qkvz.weight",
                0,
                "layers.0.in_proj_qkv.weight",
                "a",
                "qwen3.5 merge",
                "0..10240",
                "0..10240",
                "BF16",
                "BF16",
                104_857_600
            ),
            new(
                "lm.layers.0.in_proj_qkvz.weight",
                0,
                "layers.0.in_proj_z.weight",
                "a",
                "qwen3.5 merge",
                "10240..16384",
                "0..6144",
                "BF16",
                "BF16",
                62_914_560
            ),
            new("lm.layers.0.norm.weight", 1, "layers.0.norm.weight", "b", "qwen3.5 name", "0..128", "0..128", "BF16", "F32", 512),
        ],
        NotLive = [new("mtp.fc.weight", "b", "mtp.*", 1024)],
        Mismatches = [],
        MappedTensors = 1184,
        TotalTensors = 1199,
        LiveTensors = 990,
        MappedBytes = 53_600_000_000,
        TotalBytes = 54_000_000_000,
    };

    private static readonly PlanDescription Bad = Good with
    {
        Mismatches = [new("missing", "layers.7.q_proj.weight", "expected rows 0..12288 of layers.7.qkv_proj.weight, not published")],
    };

    [Fact]
    public async Task Plan_is_a_table_and_a_summary() => await Verify(Text(Good, mismatchesOnly: false));

    [Fact]
    public async Task Mismatches_stand_below_the_table() => await Verify(Text(Bad, mismatchesOnly: false));

    [Fact]
    public async Task Mismatches_can_be_shown_alone() => await Verify(Text(Bad, mismatchesOnly: true));

    [Fact]
    public async Task Json_has_regions_and_mismatches()
    {
        using StringWriter writer = new() { NewLine = "\n" };
        PlanJson.Write(writer, Bad, mismatchesOnly: false);
        await Verify(writer.ToString());
    }

    private static string Text(PlanDescription plan, bool mismatchesOnly)
    {
        using StringWriter writer = new() { NewLine = "\n" };
        PlanText.Write(writer, plan, mismatchesOnly, colour: false);
        return writer.ToString();
    }
}
