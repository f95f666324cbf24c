using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.State;

/// <summary>
/// The two advisory locks of a model directory (invariant 9), always taken in this order: <c>lock</c> by whoever writes anything,
/// <c>shards.lock</c> exclusively by whoever writes shards and shared by whoever needs their bytes to hold still. They die with their
/// holder, and are never waited for.
/// </summary>
internal static class DirectoryLocks
{
    /// <summary>The lock of whoever writes anything here.</summary>
    /// <exception cref="CheckpointException">Locked.</exception>
    internal static IDisposable TakeWriter(IDisk disk, StatePaths paths) =>
        disk.TryLock(paths.Lock, shared: false)
        ?? throw new CheckpointException(
            CheckpointError.Locked,
            $"another apollo-checkpoint is at work in {paths.Model} (it holds {paths.Lock})",
            $"wait for it to end, then run the command again; fuser {paths.Lock} shows its process"
        );

    /// <summary>The right to write shards, or null while a reader holds them still.</summary>
    internal static IDisposable? TryTakeShards(IDisk disk, StatePaths paths) => disk.TryLock(paths.ShardsLock, shared: false);

    /// <summary>Holds the shards still, or null while they are being written.</summary>
    internal static IDisposable? TryHoldShards(IDisk disk, StatePaths paths) => disk.TryLock(paths.ShardsLock, shared: true);
}
