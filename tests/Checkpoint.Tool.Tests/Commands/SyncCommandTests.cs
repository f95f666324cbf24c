using System.Globalization;
using System.Text;
using ApolloCheckpoint.Engine;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Commands;

public class SyncCommandTests
{
    [Fact]
    public void Defaults_are_those_of_the_old_program()
    {
        SyncRequest request = Parse("sync", "--model-dir", "/models/m");
        SyncRequest expected = new()
        {
            ModelDirectory = "/models/m",
            Handles = "/tmp/vllm_weight_handles.pt",
            BlockSize = 4096,
        };
        Assert.Equal(expected, request with { ToolCommand = expected.ToolCommand });
    }

    [Fact]
    public void Every_option_reaches_the_engine()
    {
        SyncRequest request = Parse(
            "sync --model-dir /models/m --handles /run/h --block-size 512 --dry-run --source python --python /venv --trust-pickle"
                .Split(' ')
                .Concat("--trust-mapping --handles-owner trainer --consistency lock --max-stall 250ms --fold 6 --fold-way patch".Split(' '))
                .Concat("--baseline /dev/shm/b --allow-partial --repair --accept-producer --replace-links".Split(' '))
                .Append("--allow-unfit-file-system")
                .ToArray()
        );
        SyncRequest expected = new()
        {
            ModelDirectory = "/models/m",
            Handles = "/run/h",
            BlockSize = 512,
            DryRun = true,
            Source = SourceKind.Python,
            Python = "/venv",
            TrustPickle = true,
            TrustMapping = true,
            HandlesOwner = "trainer",
            Consistency = ConsistencyMode.Lock,
            MaxStall = TimeSpan.FromMilliseconds(250),
            FoldEvery = 6,
            FoldWay = FoldWay.Patch,
            Baseline = "/dev/shm/b",
            AllowPartial = true,
            Repair = true,
            AcceptProducer = true,
            ReplaceLinks = true,
            AllowUnfitFileSystem = true,
        };
        Assert.Equal(expected, request with { ToolCommand = expected.ToolCommand });
    }

    [Theory]
    [InlineData("always", 1)]
    [InlineData("never", 0)]
    [InlineData("12", 12)]
    public void Fold_takes_words_and_numbers(string text, int every) =>
        Assert.Equal(every, Parse("sync", "--model-dir", "/m", "--fold", text).FoldEvery);

    [Fact]
    public async Task Options_that_make_no_sense_are_refused()
    {
        string[] lines =
        [
            "--block-size 0",
            "--block-size x",
            "--block-size",
            "--fold sometimes",
            "--fold 0",
            "--source gpu",
            "--consistency maybe",
            "--max-stall 5",
            "--output xml",
            "--no-such-option",
            "extra",
        ];
        StringBuilder said = new();
        foreach (string line in lines)
        {
            ToolRun run = ToolRun.Run(["sync", "--model-dir", "/m", .. line.Split(' ')]);
            Assert.Equal((2, ""), (run.ExitCode, run.Out));
            said.Append(CultureInfo.InvariantCulture, $"{line}\n{run.Error}");
        }

        await Verify(said.ToString());
    }

    [Fact]
    public async Task Model_directory_must_be_given() => await Verify(ToolRun.Run("sync").ToString());

    [Fact]
    public async Task Unknown_verb_is_refused() => await Verify(ToolRun.Run("snyc").ToString());

    [Fact]
    public void Report_is_on_standard_output_alone()
    {
        ToolRun run = ToolRun.Run(_ => Reports.Changed, "sync", "--model-dir", "/m");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("version 143 · step 88 210 · ", run.Out);
    }

    [Fact]
    public void Json_is_one_document()
    {
        ToolRun run = ToolRun.Run(_ => Reports.Changed, "sync", "--model-dir", "/m", "--json");
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(run.Out);
        Assert.Equal(143, document.RootElement.GetProperty("version").GetInt64());
    }

    [Fact]
    public void Failure_of_the_engine_is_on_standard_error_with_its_code()
    {
        ToolRun run = ToolRun.Run(
            _ => throw new CheckpointException(CheckpointError.HandlesNotFound, "Weight handles not found: /tmp/h.pt."),
            "sync",
            "--model-dir",
            "/m"
        );
        Assert.Equal(new ToolRun(11, "", "error 11: Weight handles not found: /tmp/h.pt.\n"), run);
    }

    private static SyncRequest Parse(params string[] arguments)
    {
        SyncRequest? seen = null;
        ToolRun run = ToolRun.Run(request => Seen(request, out seen), arguments);
        Assert.Equal("", run.Error);
        return Assert.IsType<SyncRequest>(seen);
    }

    private static SyncReport Seen(SyncRequest request, out SyncRequest seen)
    {
        seen = request;
        return Reports.Unchanged;
    }
}
