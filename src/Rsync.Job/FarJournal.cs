using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Rsync;

/// <summary>The journal of the current copy on the far side: which deltas it has, and that none of them is another than ours.</summary>
internal sealed class FarJournal(OffsiteOptions options, FarSide far)
{
    /// <summary>Which snapshot is current, and which deltas it has.</summary>
    /// <returns>Null when there is no copy yet.</returns>
    internal async Task<(string Snapshot, string State, IReadOnlyList<long> Versions)?> LookAsync(CancellationToken cancel)
    {
        string[] lines = (await far.ScriptAsync(FarScripts.LookAtJournal(options), cancel)).StandardOutput.Split('\n');
        return SnapshotName.FromLink(lines[0]) is { } snapshot
            ? (snapshot, lines.ElementAtOrDefault(1) ?? "", [.. lines.Skip(2).Select(StatePaths.VersionOf).OfType<long>().Order()])
            : null;
    }

    /// <summary>
    /// Refuses when a delta is there under a name of ours with other bytes. Length and time say which are worth reading on both sides:
    /// a delta is written once, and rsync keeps its time.
    /// </summary>
    /// <exception cref="CheckpointException">OffsiteForeign.</exception>
    internal async Task RequireSameDeltasAsync(string snapshot, IDisk disk, CancellationToken cancel)
    {
        if (disk.List(new StatePaths(options.ModelDirectory).Journal).Count == 0)
        {
            return;
        }

        string[] suspects = await DifferingAsync(snapshot, null, cancel);
        string[] others = suspects.Length == 0 ? [] : await DifferingAsync(snapshot, suspects, cancel);
        if (others.Length > 0)
        {
            throw new CheckpointException(
                CheckpointError.OffsiteForeign,
                $"{options.Target} holds {string.Join(", ", others.Take(3))} with other bytes than the journal here; nothing was overwritten",
                "one of the two is of another history or damaged (apollo-checkpoint verify); move the copies there aside, or give another --target"
            );
        }
    }

    private async Task<string[]> DifferingAsync(string snapshot, string[]? names, CancellationToken cancel)
    {
        IReadOnlyList<string> arguments = RsyncArguments.Compare(options, snapshot, byContent: names is not null);
        string output = (await far.RsyncAsync(arguments, cancel, names)).StandardOutput;
        return
        [
            // "<f.st...... name": a file that would be sent (">f" where both sides are here).
            .. output
                .Split('\n')
                .Where(line => line.StartsWith("<f", StringComparison.Ordinal) || line.StartsWith(">f", StringComparison.Ordinal))
                .Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..])
                .Where(name => StatePaths.VersionOf(name) is not null),
        ];
    }
}
