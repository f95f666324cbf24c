using System.Text.Json;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;
using CliWrap.Buffered;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// Adds the deltas that the current copy does not have to its journal, oldest first, so that what is there is always an unbroken run:
/// the copy of last night and these are the newest version. Deltas are written once, so nothing has to hold still. A name that is there
/// is never written again.
/// </summary>
internal sealed class DeltaShipping(OffsiteOptions options, IDisk disk, TimeProvider time, FarSide far)
{
    private const string Nightly = "make a whole copy first: apollo-checkpoint offsite --once";

    /// <summary>Runs it.</summary>
    internal async Task<DeltaReport> RunAsync(CancellationToken cancel)
    {
        long started = time.GetTimestamp();
        StatePaths paths = new(options.ModelDirectory);
        FarJournal journal = new(options, far);
        if (await journal.LookAsync(cancel) is not (string snapshot, string state, IReadOnlyList<long> there))
        {
            throw new CheckpointException(CheckpointError.OffsiteForeign, $"{options.Target} holds no copy of the model yet", Nightly);
        }

        IReadOnlyList<long> here = HeldModel.VersionsIn(disk, paths);
        long newestThere = Math.Max(there.Count == 0 ? 0 : there[^1], RequireSameHistory(state, paths));
        RequireChain(here, newestThere);
        await journal.RequireSameDeltasAsync(snapshot, disk, cancel);
        long[] missing = [.. here.Where(version => version > newestThere)];
        long sent = missing.Length == 0 ? 0 : await ShipAsync(snapshot, paths, missing, cancel);
        return new DeltaReport(
            options.Target.ToString(),
            snapshot,
            missing.Length == 0 ? newestThere : missing[^1],
            missing.Length,
            sent,
            time.GetElapsedTime(started)
        );
    }

    private async Task<long> ShipAsync(string snapshot, StatePaths paths, long[] missing, CancellationToken cancel)
    {
        string[] names = [.. missing.Select(version => Path.GetFileName(paths.Delta(version)))];
        BufferedCommandResult transfer = await far.RsyncAsync(RsyncArguments.Deltas(options, snapshot), cancel, names);
        IEnumerable<(string, string)> sums = missing.Select(version =>
            (Path.GetFileName(paths.Delta(version)), Convert.ToHexStringLower(CopyList.Sha256Of(disk, paths.Delta(version))))
        );
        await far.ScriptAsync(FarScripts.VerifyDeltas(options, snapshot, FarScripts.Sums(sums)), cancel);
        return RsyncStats.Find(transfer.StandardOutput, "Total bytes sent");
    }

    /// <returns>The newest version that the copy's state knows.</returns>
    private long RequireSameHistory(string farState, StatePaths paths)
    {
        (string Lineage, long Newest)? there = ReadState(farState);
        (string Lineage, long Newest)? here = ReadState(
            AtomicFile.TryRead(disk, paths.State, 1 << 20) is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes) : ""
        );
        return there is not null && there.Value.Lineage == here?.Lineage
            ? there.Value.Newest
            : throw new CheckpointException(
                CheckpointError.OffsiteForeign,
                $"the copy on {options.Target} is of another history than {options.ModelDirectory}",
                Nightly
            );
    }

    /// <summary>What is here must lead on from what is there.</summary>
    private void RequireChain(IReadOnlyList<long> here, long newestThere)
    {
        long newestHere = here.Count == 0 ? newestThere : here[^1];
        if (newestHere < newestThere)
        {
            throw new CheckpointException(
                CheckpointError.OffsiteForeign,
                $"{options.Target} holds version {newestThere}, and here the newest is {newestHere}: the model was set back",
                $"restore from there, or {Nightly}"
            );
        }

        if (here.Count > 0 && here[0] > newestThere + 1)
        {
            throw new CheckpointException(
                CheckpointError.OffsiteForeign,
                $"the journal begins with version {here[0]}, the copy on {options.Target} ends with {newestThere}: what lies between was pruned",
                Nightly
            );
        }
    }

    private static (string Lineage, long Newest)? ReadState(string text)
    {
        try
        {
            using JsonDocument state = JsonDocument.Parse(text);
            return state.RootElement.GetProperty("lineage").GetString() is { } lineage
                ? (lineage, state.RootElement.GetProperty("newest").GetInt64())
                : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
