using ApolloCheckpoint.TestKit;
using VerifyXunit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.TestKit;

/// <summary>Holds whichever of the two runs: both compare with the same files.</summary>
public class SnapshotTests
{
    private static readonly string Folder = Repository.PathOf("tests", "Checkpoint.Engine.Tests", "TestKit");

    [Fact]
    public async Task Text_equal_to_its_snapshot_passes() => await Verifier.Verify("first line\nsecond line, with ü and 2026-01-31");

    [Theory]
    [InlineData("a/b", 3)]
    [InlineData("plain", 4)]
    public async Task Parameters_stand_in_the_file_name(string path, int count) =>
        await Verifier.Verify($"{path} {count}").UseParameters(path, count);

#if !REAL_VERIFY
    [Fact]
    public async Task Different_text_fails_and_leaves_a_received_file_with_a_byte_order_mark()
    {
        string received = Path.Combine(Folder, $"{nameof(SnapshotTests)}.Is_different.received.txt");
        try
        {
            await Assert.ThrowsAnyAsync<Exception>(() => Verifier.Verify("new", memberName: "Is_different").ToTask());
            Assert.Equal([0xEF, 0xBB, 0xBF, (byte)'n', (byte)'e', (byte)'w'], await File.ReadAllBytesAsync(received));
        }
        finally
        {
            File.Delete(received);
        }
    }

    [Fact]
    public async Task Missing_snapshot_fails_and_writes_nothing_but_the_received_file()
    {
        string stem = Path.Combine(Folder, $"{nameof(SnapshotTests)}.Is_missing");
        try
        {
            await Assert.ThrowsAnyAsync<Exception>(() => Verifier.Verify("new", memberName: "Is_missing").ToTask());
            Assert.True(File.Exists($"{stem}.received.txt"));
            Assert.False(File.Exists($"{stem}.verified.txt"));
        }
        finally
        {
            File.Delete($"{stem}.received.txt");
        }
    }

    [Fact]
    public async Task Source_path_of_a_deterministic_build_is_found_under_the_root() =>
        await Verifier.Verify(
            "first line\nsecond line, with ü and 2026-01-31",
            $"/_/tests/Checkpoint.Engine.Tests/TestKit/{nameof(SnapshotTests)}.cs",
            nameof(Text_equal_to_its_snapshot_passes)
        );
#endif
}
