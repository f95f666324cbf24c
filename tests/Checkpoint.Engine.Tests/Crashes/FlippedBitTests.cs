using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;
using Xunit.Abstractions;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>
/// Invariant 11: one bit of our own files is not what it was. Either the command is refused, or all it does is right: the bytes of every
/// version, and no version lost.
/// </summary>
[Trait("Ring", "crash")]
public sealed class FlippedBitTests(ITestOutputHelper output)
{
    /// <summary>Files up to this length are flipped at every byte; longer ones at both ends and here and there.</summary>
    private const int WholeBytes = 1500;

    [Theory]
    [InlineData("fold, patch")]
    [InlineData("recovery of a patch, process killed")]
    [InlineData("prune, two waiting")]
    public void Any_flipped_bit_of_journal_and_state_is_refused_or_changes_nothing(string name)
    {
        CrashStage stage = CrashScenarios.All.Single(row => row.Name == name).Prepare();
        CrashingDisk whole = CrashImages.Of(stage.Disk, new Random(1), 2).Last().Disk;
        int refused = 0;
        int unharmed = 0;
        Random random = new(7);
        foreach (string path in Files(whole, stage.Model.Paths.Folder))
        {
            foreach (int place in Places(Length(whole, path)))
            {
                CrashingDisk disk = CrashImages.Of(whole, random, 1).First().Disk;
                int bit = random.Next(8);
                Flip(disk, path, place, bit);
                try
                {
                    stage.CheckHistory(disk);
                    unharmed++;
                }
                catch (CheckpointException e) when (e.ExitCode is 10 or 14 or 16)
                {
                    refused++;
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"bit {bit} of byte {place} of {path}: {e.Message}", e);
                }
            }
        }

        output.WriteLine($"{name}: {refused} flipped bits refused, {unharmed} without harm, seed 7");
        Assert.InRange(refused, 500, int.MaxValue);
        Assert.InRange(unharmed, 100, int.MaxValue);
    }

    private static IEnumerable<string> Files(CrashingDisk disk, string folder) =>
        disk.List(folder)
            .Select(name => Path.Combine(folder, name))
            .SelectMany(path => disk.Stat(path)?.Kind == FileEntryKind.Folder ? Files(disk, path) : [path])
            .Where(path => !path.EndsWith("/reserve", StringComparison.Ordinal));

    private static IEnumerable<int> Places(int length) =>
        Enumerable.Range(0, length).Where(place => length <= WholeBytes || place < 200 || place >= length - 900 || place % 211 == 0);

    private static int Length(CrashingDisk disk, string path) => (int)(disk.Stat(path)?.Length ?? 0);

    private static void Flip(CrashingDisk disk, string path, int place, int bit)
    {
        using IDiskFile file = disk.Open(path, writable: true);
        byte[] value = new byte[1];
        file.Read(value, place);
        value[0] ^= (byte)(1 << bit);
        file.Write(value, place);
        file.Flush();
    }
}
