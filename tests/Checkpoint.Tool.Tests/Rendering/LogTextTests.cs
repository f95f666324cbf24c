using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Tool.Rendering;
using static VerifyXunit.Verifier;

namespace ApolloCheckpoint.Tool.Tests.Rendering;

public class LogTextTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 5, 14, 25, 0, TimeSpan.Zero);
    private static readonly TimeZoneInfo Zone = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(1), "test", "test");

    private static readonly VersionRow[] Rows =
    [
        new(
            143,
            Now.AddMinutes(-5),
            88210,
            new ConsistencyLabel(ConsistencyKind.Step, 88210),
            206_000_000,
            26_900_000_000,
            221_000_000,
            true
        ),
        new(
            142,
            Now.AddMinutes(-15),
            null,
            new ConsistencyLabel(ConsistencyKind.Mixed, null, ["a", "b"]),
            7_000,
            1_000_000,
            230_000,
            false
        ),
        new(141, Now.AddDays(-1), 87700, new ConsistencyLabel(ConsistencyKind.Stable), 0, 1_000_000, null, false),
        new(140, Now.AddDays(-9), 87000, new ConsistencyLabel(ConsistencyKind.Restored), 10, 1_000_000, 512, false),
    ];

    [Fact]
    public async Task Versions_are_a_table_newest_first() => await Verify(Text(Rows, 0));

    [Fact]
    public async Task Older_versions_are_counted() => await Verify(Text(Rows[..1], 139));

    [Fact]
    public async Task Empty_journal_says_so() => await Verify(Text([], 0));

    [Fact]
    public async Task Json_has_utc_times()
    {
        using StringWriter writer = new() { NewLine = "\n" };
        LogJson.Write(writer, Rows, 139);
        await Verify(writer.ToString());
    }

    private static string Text(VersionRow[] rows, int older)
    {
        using StringWriter writer = new() { NewLine = "\n" };
        LogText.Write(writer, rows, older, Now, Zone, colour: false);
        return writer.ToString();
    }
}
