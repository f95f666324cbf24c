using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Verification;
using ApolloCheckpoint.Tool.Rendering;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Rendering;

public class HistoryTextTests
{
    private static readonly RestoreReport InPlace = new()
    {
        Restored = 140,
        Version = 144,
        FilesVersion = 144,
        Chunks = 900,
        DeltaBytes = 340_000_000,
        WrittenBytes = 52_400_000_000,
    };

    private static readonly RestoreReport Copy = new()
    {
        Restored = 140,
        Version = 140,
        FilesVersion = 140,
        Output = "/models/old",
        WrittenBytes = 54_000_000_000,
        Skipped = ["tokenizer.json is a link to a folder"],
    };

    private static readonly AdoptReport Adopt = new()
    {
        Version = 145,
        Lineage = "0123456789abcdef0123456789abcdef",
        Root = "fedcba9876543210fedcba9876543210",
        OldJournal = "/models/m/.apollo/journal.0123",
        NotFolded = [143, 144],
    };

    private static readonly VerifyReport Good = new()
    {
        FilesVersion = 143,
        Shards = 11,
        Bytes = 54_000_000_000,
        Deltas = 143,
        Damage = [],
    };

    private static readonly VerifyReport Bad = Good with
    {
        Damage = [new("bytes", "model-00003.safetensors", "a.weight", 4096, 2_097_152, "model-00003.safetensors: a.weight differs")],
    };

    [Fact]
    public async Task Every_report_begins_with_the_answer() =>
        await Verify(
            Text(
                writer => HistoryText.Write(writer, InPlace, colour: false),
                writer => HistoryText.Write(writer, Copy, colour: false),
                writer => HistoryText.Write(writer, InPlace with { FromMirror = 3, DeltaBytes = 0 }, colour: false),
                writer => HistoryText.Write(writer, new PruneReport([1, 2, 3], 140, 660_000_000, 3)),
                writer => HistoryText.Write(writer, new PruneReport([], 2, 0, 0)),
                writer => HistoryText.Write(writer, Adopt, colour: false),
                writer => HistoryText.Write(writer, Good, null, colour: false),
                writer => HistoryText.Write(writer, Good, Reports.Unchanged, colour: false),
                writer => HistoryText.Write(writer, Good, Reports.Changed, colour: false),
                writer => HistoryText.Write(writer, Bad, null, colour: false)
            )
        );

    [Fact]
    public async Task Every_report_has_its_json() =>
        await Verify(
            Text(
                writer => HistoryJson.Write(writer, Copy),
                writer => HistoryJson.Write(writer, new PruneReport([1, 2, 3], 140, 660_000_000, 3)),
                writer => HistoryJson.Write(writer, Adopt),
                writer => HistoryJson.Write(writer, Bad, null)
            )
        );

    private static string Text(params Action<TextWriter>[] reports)
    {
        using StringWriter writer = new() { NewLine = "\n" };
        foreach (Action<TextWriter> report in reports)
        {
            report(writer);
            writer.WriteLine();
        }

        return writer.ToString();
    }
}
