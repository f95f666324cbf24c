using System.Security.Cryptography;
using System.Text;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;
using CliWrap.Buffered;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// One whole copy. Its order:
/// <code>
/// prepare    folders there; which snapshot is current, which files were cut off the last time
/// compare    a delta that is there with other bytes ends it: another history, or damage (nothing is ever overwritten)
/// hold       the shards still, recovered first where a crash left them half folded
/// prove      every shard against the recorded digests, and SHA-256 of every file from the same read
/// transfer   cut-off files first, then all; then state, digests and sums as they were when held
/// let go     folds go on from here
/// verify     the far side reads its copy; what differs is sent once more
/// promote    the copy becomes a snapshot and current in one step; old ones go
/// </code>
/// An interrupted night leaves yesterday's copy whole and is continued by the next.
/// </summary>
internal sealed class NightlyCopy(OffsiteOptions options, IDisk disk, TimeProvider time, FarSide far)
{
    /// <summary>How often a transfer is done again because old versions were pruned while it ran.</summary>
    private const int MostPasses = 5;

    private readonly List<string> did = [];
    private long sentBytes;
    private long modelBytes;

    /// <summary>Runs it.</summary>
    internal async Task<OffsiteReport> RunAsync(CancellationToken cancel)
    {
        long started = time.GetTimestamp();
        string[] found = (await far.ScriptAsync(FarScripts.Prepare(options), cancel)).StandardOutput.Split('\0', StringSplitOptions.None);
        if (SnapshotName.FromLink(found[0]) is { } current)
        {
            await new FarJournal(options, far).RequireSameDeltasAsync(current, disk, cancel);
        }

        Sent sent = await ShipAsync(CutOff(found[1..]), cancel);
        if (options.Verify)
        {
            await VerifyAsync(cancel);
        }

        string stamp = SnapshotName.Of(time.GetUtcNow());
        await far.ScriptAsync(FarScripts.Promote(options, stamp), cancel);
        return new OffsiteReport(
            options.Target.ToString(),
            stamp,
            sent.Version,
            sent.FilesVersion,
            sentBytes,
            modelBytes,
            options.Verify ? sent.Files : 0,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sent.Sums))),
            did,
            time.GetElapsedTime(started)
        );
    }

    /// <summary>Holds, proves and transfers; again when old versions were pruned meanwhile, or a first sync began.</summary>
    private async Task<Sent> ShipAsync(string[] cutOff, CancellationToken cancel)
    {
        StatePaths paths = new(options.ModelDirectory);
        for (int pass = 1; ; pass++)
        {
            long? oldest = HeldModel.OldestNow(disk, paths);
            try
            {
                using HeldModel held = await new ShardHold(options, disk, time, did).TakeAsync(cancel);
                Sent sent = await TransferAsync(held, cutOff, cancel);
                if (HeldModel.OldestNow(disk, paths) == oldest)
                {
                    return sent;
                }
            }
            catch (Exception e) when (e is CheckpointException or FileNotFoundException && HeldModel.OldestNow(disk, paths) != oldest)
            {
                // A delta that vanished while it was read: the next pass does without.
            }

            if (pass == MostPasses)
            {
                throw new CheckpointException(
                    CheckpointError.OffsiteFailed,
                    $"old versions of {options.ModelDirectory} were pruned during each of {MostPasses} transfers",
                    "run it again when the prune has ended"
                );
            }
        }
    }

    private async Task<Sent> TransferAsync(HeldModel held, string[] cutOff, CancellationToken cancel)
    {
        using PinnedFiles pinned = PinnedFiles.Take(disk, held);
        IReadOnlyList<(string Name, string Sha256)> sums = [.. CopyList.Make(disk, held, cancel), .. pinned.Sums];
        string text = FarScripts.Sums(sums);
        pinned.Add(Path.GetFileName(FarScripts.SumsName), Encoding.UTF8.GetBytes(text));
        if (cutOff.Length > 0)
        {
            Count(await far.RsyncAsync(RsyncArguments.Resume(options), cancel, cutOff));
            did.Add($"continued what was cut off the last time: {string.Join(", ", cutOff)}");
        }

        modelBytes = Count(await far.RsyncAsync(RsyncArguments.Transfer(options), cancel));
        Count(await far.RsyncAsync(RsyncArguments.Pinned(options, pinned.Paths), cancel));
        return new Sent(held.Newest, held.Digests?.Version, sums.Count, text);
    }

    /// <summary>What rotted there, under a file that did not change here, is sent again once; then it must be right.</summary>
    private async Task VerifyAsync(CancellationToken cancel)
    {
        try
        {
            await far.ScriptAsync(FarScripts.Verify(options), cancel);
            return;
        }
        catch (CheckpointException e) when (Differing(e) is not null)
        {
            did.Add($"{Differing(e)} differed on {far.Name} and was sent again");
        }

        using (await new ShardHold(options, disk, time, did).TakeAsync(cancel))
        {
            Count(await far.RsyncAsync(RsyncArguments.Transfer(options, byContent: true), cancel));
        }

        try
        {
            await far.ScriptAsync(FarScripts.Verify(options), cancel);
        }
        catch (CheckpointException e) when (Differing(e) is { } name)
        {
            throw new CheckpointException(
                CheckpointError.OffsiteDiffers,
                $"the copy on {options.Target} is not what was sent: {name}",
                $"run it again; if it stays, check disk and memory of {far.Name}",
                e
            )
            {
                Details = e.Details,
            };
        }
    }

    /// <summary>The first file that sha256sum names, or null when something else went wrong.</summary>
    private static string? Differing(CheckpointException e) =>
        e
            .Details.Select(line => line.Text)
            .Where(text => text.Contains(": FAILED", StringComparison.Ordinal))
            .Select(text => text[..text.IndexOf(": FAILED", StringComparison.Ordinal)])
            .FirstOrDefault();

    /// <summary>Names of files that were cut off and are still part of the model: "incoming/sub/.rsync-partial/x" is "sub/x".</summary>
    private string[] CutOff(IEnumerable<string> found) =>
        [
            .. found
                .Where(path => path.StartsWith("incoming/", StringComparison.Ordinal))
                .Select(path => path["incoming/".Length..].Replace(RsyncArguments.PartialFolder + "/", "", StringComparison.Ordinal))
                .Where(name => !name.StartsWith(".apollo/", StringComparison.Ordinal))
                .Where(name => disk.Stat(Path.Combine(options.ModelDirectory, name)) is not null),
        ];

    /// <summary>Adds what went over the wire.</summary>
    /// <returns>Bytes of all files.</returns>
    private long Count(BufferedCommandResult transfer)
    {
        sentBytes += RsyncStats.Find(transfer.StandardOutput, "Total bytes sent");
        return RsyncStats.Find(transfer.StandardOutput, "Total file size");
    }

    /// <summary>What was transferred, and the list of its sums.</summary>
    private sealed record Sent(long? Version, long? FilesVersion, int Files, string Sums);
}
