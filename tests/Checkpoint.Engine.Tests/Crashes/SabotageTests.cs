using System.Text.RegularExpressions;
using ApolloCheckpoint.TestKit.Crashing;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace ApolloCheckpoint.Engine.Tests.Crashes;

/// <summary>
/// The crash tests are themselves tested: a disk that skips one flush, or swaps one order, and the harness must notice. Every flush of
/// these scenarios is skipped, one at a time; those that nothing can notice are known by name, with the reason (<see cref="IdleFlushes"/>).
/// </summary>
[Trait("Ring", "crash")]
public sealed class SabotageTests(ITestOutputHelper output)
{
    private const int ImagesAPoint = 40;

    /// <summary>Together they pass every flush that the engine has.</summary>
    private static readonly string[] Scenarios =
    [
        "commit and patch, two waiting",
        "commit and replace, two waiting",
        "recovery of a commit, process killed",
        "recovery of a patch, process killed",
        "recovery of a patch, redo only named",
        "recovery of a replace, process killed",
        "recovery of a replace, all renamed",
        "recovery of an adopt, process killed",
        "recovery without digests and state",
        "restore to a folder",
        "prune, two waiting",
        "adopt, two waiting",
        "first sync, patch",
    ];

    [Fact]
    public void Every_flush_that_is_skipped_is_noticed_or_is_known_to_be_idle()
    {
        SortedDictionary<string, string?> sites = new(StringComparer.Ordinal);
        int skipped = 0;
        foreach (string name in Scenarios)
        {
            List<DiskOperation> operations = Operations(name);
            for (int i = 0; i < operations.Count; i++)
            {
                string site = Site(operations, i);
                bool isFlush = operations[i].Kind is DiskOperationKind.Flush or DiskOperationKind.FlushFolder;
                if (isFlush && sites.GetValueOrDefault(site) is null)
                {
                    skipped++;
                    sites[site] = Notice(name, new Sabotage(operations[i].Number)) is null ? null : name;
                }
            }
        }

        foreach ((string site, string? noticed) in sites)
        {
            output.WriteLine(noticed is null ? $"idle     {site}: {IdleFlushes.Reason(site)}" : $"noticed  {site} ({noticed})");
        }

        output.WriteLine(
            $"{sites.Count} places that flush, {skipped} flushes skipped, {sites.Values.Count(noticed => noticed is null)} places idle"
        );
        Assert.Empty(sites.Where(row => row.Value is null && IdleFlushes.Reason(row.Key) is null).Select(row => row.Key));
        Assert.Empty(sites.Where(row => row.Value is not null && IdleFlushes.Reason(row.Key) is not null).Select(row => row.Key));
        Assert.Empty(IdleFlushes.Sites.Except(sites.Keys));
    }

    [Theory]
    [InlineData("commit and patch, two waiting", "^Flush .*writing.delta,", "^Rename .*writing.delta to")]
    [InlineData("commit and patch, two waiting", "^FlushFolder .*journal, after Rename", "^Write /model/SHARD,")]
    [InlineData("commit and patch, two waiting", "^Flush .*writing.redo,", "^Write /model/SHARD,")]
    [InlineData("commit and patch, two waiting", "^FlushFolder .*redo, after Rename", "^Write /model/SHARD,")]
    [InlineData("commit and patch, two waiting", "^Flush /model/SHARD,", "^FlushFolder .*redo, after Delete")]
    [InlineData("commit and replace, two waiting", "^Flush .*folding,", "^Rename .*folding to .*, after Rename")]
    [InlineData("prune, two waiting", "^Rename .*state.json.writing to", "^FlushFolder .*journal, after Delete")]
    [InlineData("adopt, two waiting", "^Rename .*digests.bin.writing to", "^FlushFolder .*journal, after CreateFolder")]
    [InlineData("restore to a folder", "^Flush .*SHARD,", "^Rename .*restoring to")]
    public void Every_order_that_is_swapped_is_noticed(string name, string first, string second)
    {
        (string swap, string? noticed) = Swap(name, first, second);
        Assert.True(noticed is not null, $"nothing notices {swap}");
        output.WriteLine($"{swap}: {noticed}");
    }

    /// <summary>Shards are known by their digests: the records only say where to look, and a lost one costs time, no model.</summary>
    [Theory]
    [InlineData("commit and patch, two waiting", "^Rename .*digests.bin.writing to", "^FlushFolder .*redo, after Delete")]
    [InlineData("commit and replace, two waiting", "^FlushFolder /model, after Rename", "^Rename .*digests.bin.writing to")]
    public void An_order_that_only_saves_time_is_known_to_be_one(string name, string first, string second) =>
        Assert.Null(Swap(name, first, second).Noticed);

    private static (string Swap, string? Noticed) Swap(string name, string first, string second)
    {
        List<DiskOperation> operations = Operations(name);
        string[] sites = [.. operations.Select((_, i) => Site(operations, i))];
        int late = Array.FindIndex(sites, site => Regex.IsMatch(site, second));
        int early = late < 0 ? -1 : Array.FindLastIndex(sites, late - 1, site => Regex.IsMatch(site, first));
        Assert.True(early >= 0, "there is no such order to swap");
        string? noticed = Notice(name, new Sabotage(operations[early].Number, Until: operations[late].Number));
        return ($"{Name(operations[early])} only after {Name(operations[late])}", noticed);
    }

    private static List<DiskOperation> Operations(string name)
    {
        CrashStage stage = Scenario(name).Prepare();
        int before = stage.Disk.Operations.Count;
        stage.Act();
        return [.. stage.Disk.Operations.Skip(before)];
    }

    /// <summary>What the harness says of a disk that breaks a promise, or null when it finds nothing.</summary>
    private static string? Notice(string name, Sabotage sabotage)
    {
        foreach (int seed in new[] { 1, 2 })
        {
            CrashStage stage = Scenario(name).Prepare();
            stage.Disk.Sabotage = sabotage;
            CrashRun run = new(seed, ImagesAPoint) { From = sabotage.Operation, Workers = Environment.ProcessorCount };
            try
            {
                run.Through(stage.Disk, stage.Act, image => stage.Check(image.Disk));
            }
            catch (Exception e) when (e is XunitException or CheckpointException or IOException)
            {
                return e.Message;
            }
        }

        return null;
    }

    private static CrashScenario Scenario(string name) => CrashScenarios.All.Single(row => row.Name == name);

    /// <summary>A place in the engine is known by what it flushes and by what was done just before.</summary>
    private static string Site(List<DiskOperation> operations, int i) =>
        i == 0 ? $"{Name(operations[i])}, first of all" : $"{Name(operations[i])}, after {Name(operations[i - 1])}";

    private static string Name(DiskOperation operation)
    {
        string path = Regex.Replace(operation.Path, @"model-\d+-of-\d+\.safetensors", "SHARD");
        path = Regex.Replace(path, @"\d{10}", "N");
        return $"{operation.Kind} {path.Replace("/model/.apollo", ".apollo", StringComparison.Ordinal)}";
    }
}
