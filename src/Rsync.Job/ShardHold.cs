using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Rsync;

/// <summary>
/// Takes the shards of a model, whole: what a crash left half folded is given back, recovered here, and taken again; what somebody else
/// is writing is waited for.
/// </summary>
internal sealed class ShardHold(OffsiteOptions options, IDisk disk, TimeProvider time, List<string> did)
{
    /// <exception cref="CheckpointException">ShardsHeld: not in time. Whatever recovery throws.</exception>
    internal async Task<HeldModel> TakeAsync(CancellationToken cancel)
    {
        long started = time.GetTimestamp();
        bool mustFold = options.FoldFirst && disk.Stat(Path.Combine(options.ModelDirectory, ".apollo")) is not null;
        bool mustRecover = mustFold;
        while (true)
        {
            if (!mustRecover && HeldModel.TryTake(disk, options.ModelDirectory) is { } held)
            {
                if (held.IsWhole)
                {
                    return held;
                }

                held.Dispose();
                mustRecover = true;
            }

            if (mustRecover && await TryRecoverAsync(mustFold, cancel))
            {
                (mustRecover, mustFold) = (false, false);
                continue;
            }

            if (time.GetElapsedTime(started) >= options.LockWait)
            {
                throw new CheckpointException(
                    CheckpointError.ShardsHeld,
                    $"the shards of {options.ModelDirectory} were being written for {options.LockWait.TotalMinutes:0} minutes",
                    "run it again when the fold has ended"
                );
            }

            await Task.Delay(TimeSpan.FromSeconds(1), time, cancel);
        }
    }

    /// <returns>False while a sync is at work: it recovers, too.</returns>
    private async Task<bool> TryRecoverAsync(bool fold, CancellationToken cancel)
    {
        try
        {
            did.AddRange(await Task.Run(() => HeldModel.Recover(disk, options.ModelDirectory, fold, time, cancel), cancel));
            return true;
        }
        catch (CheckpointException e) when (e.Error is CheckpointError.Locked)
        {
            return false;
        }
    }
}
