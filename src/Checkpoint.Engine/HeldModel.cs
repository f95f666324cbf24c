using System.Security.Cryptography;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine;

/// <summary>
/// A model directory whose shards hold still (<c>shards.lock</c>, shared): what a copy to somewhere else is made from. Syncs go on
/// meanwhile and commit; only their folds wait. A free lock does not mean a whole model (invariant 9): while <see cref="IsWhole"/> is
/// false, let go, <see cref="Recover"/>, and take it again.
/// </summary>
public sealed class HeldModel : IDisposable
{
    private const int PieceBytes = 1 << 20;

    private readonly IDisk disk;
    private readonly IDisposable? still;

    private HeldModel(IDisk disk, ModelDirectory model, StatePaths paths, IDisposable? still)
    {
        this.disk = disk;
        this.still = still;
        Model = model;
        Paths = paths;
        State = ModelState.TryRead(disk, paths.State);
        Digests = RecordedDigests.TryRead(disk, model.Layout, paths.Digests);
        IsWhole =
            still is null
            || (!PendingWork.IsHalfFolded(disk, model.Layout, paths) && State is not null && Digests?.LooksCurrent(disk) == true);
    }

    /// <summary>The model.</summary>
    public ModelDirectory Model { get; }

    /// <summary>Our names in it.</summary>
    public StatePaths Paths { get; }

    /// <summary>What was recorded of the shards; null when the model was never synced.</summary>
    public RecordedDigests? Digests { get; }

    /// <summary>The newest version when this was taken; null when the model was never synced.</summary>
    public long? Newest => State?.Newest;

    /// <summary>Whether all shards are whole and are what was recorded, as far as looks tell; a model that was never synced is.</summary>
    public bool IsWhole { get; }

    private ModelState? State { get; }

    /// <summary>Takes it without waiting.</summary>
    /// <returns>Null while the shards are being written.</returns>
    /// <exception cref="CheckpointException">10xx: there is no model.</exception>
    public static HeldModel? TryTake(IDisk disk, string modelDirectory)
    {
        StatePaths paths = new(Path.GetFullPath(modelDirectory));
        if (disk.Stat(paths.Folder) is null)
        {
            // Never synced: the files are what they are, and nothing of ours writes them.
            return new HeldModel(disk, ModelDirectory.Open(disk, paths.Model), paths, null);
        }

        IDisposable? still = DirectoryLocks.TryHoldShards(disk, paths);
        try
        {
            return still is null ? null : new HeldModel(disk, ModelDirectory.Open(disk, paths.Model), paths, still);
        }
        catch
        {
            still?.Dispose();
            throw;
        }
    }

    /// <summary>Finishes what a crash left, or an interrupted fold; with <paramref name="fold"/> also brings the files to the newest version.</summary>
    /// <returns>What was done, a sentence each.</returns>
    /// <exception cref="CheckpointException">Locked: a sync is at work. 10xx, 14xx, 15xx as for every command that writes.</exception>
    public static IReadOnlyList<string> Recover(IDisk disk, string modelDirectory, bool fold, TimeProvider time, CancellationToken cancel)
    {
        JournalOptions options = new() { Codec = () => new ChunkCodec(), Time = time };
        using JournalSession session = JournalSession.Open(disk, ModelDirectory.Open(disk, modelDirectory), options, cancel);
        long before = session.FilesVersion;
        if (!fold || before == session.Newest)
        {
            return session.Recovered;
        }

        string? warning = session.Fold(FoldWay.Auto, cancel).Warning;
        return [.. session.Recovered, warning ?? $"folded: the files were at version {before}, and are at {session.Newest}"];
    }

    /// <summary>The deltas that are there now, oldest first.</summary>
    public static IReadOnlyList<long> VersionsIn(IDisk disk, StatePaths paths) =>
        [.. disk.List(paths.Journal).Select(StatePaths.VersionOf).OfType<long>().Order()];

    /// <summary>
    /// The oldest version that history needs, as the state says now; null when the model was never synced. It changes when old versions
    /// are pruned or a first sync begins: a copy made in between may lack deltas that its state speaks of.
    /// </summary>
    public static long? OldestNow(IDisk disk, StatePaths paths) => ModelState.TryRead(disk, paths.State)?.Oldest;

    /// <summary>SHA-256 of a shard, from one read in which every chunk had the digest that was recorded for it.</summary>
    /// <exception cref="CheckpointException">VerificationFailed: a chunk has not. DiskReadFailed.</exception>
    public byte[] Sha256Of(Shard shard, CancellationToken cancel)
    {
        using IDiskFile file = disk.Open(ShardReader.RealPath(disk, shard.FilePath));
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[Math.Max(PieceBytes, Model.Layout.LargestChunkBytes)];
        (int first, int count) = Model.Layout.ChunksOf(shard);
        long fileOffset = 0;
        for (int ordinal = first; ordinal < first + count; ordinal++)
        {
            cancel.ThrowIfCancellationRequested();
            Chunk chunk = Model.Layout[ordinal];
            fileOffset = Append(hash, file, buffer, fileOffset, chunk.FileOffset);
            Span<byte> bytes = buffer.AsSpan(0, chunk.ByteLength);
            if (file.Read(bytes, fileOffset) != bytes.Length || Digests?.Holds(ordinal, bytes) == false)
            {
                throw NotRecorded(chunk);
            }

            hash.AppendData(bytes);
            fileOffset += bytes.Length;
        }

        _ = Append(hash, file, buffer, fileOffset, file.Length);
        return hash.GetHashAndReset();
    }

    /// <inheritdoc/>
    public void Dispose() => still?.Dispose();

    /// <summary>Hashes what lies between two chunks: the header, padding.</summary>
    private static long Append(IncrementalHash hash, IDiskFile file, byte[] buffer, long fileOffset, long end)
    {
        while (fileOffset < end)
        {
            int read = file.Read(buffer.AsSpan(0, (int)Math.Min(PieceBytes, end - fileOffset)), fileOffset);
            if (read == 0)
            {
                break;
            }

            hash.AppendData(buffer, 0, read);
            fileOffset += read;
        }

        return end;
    }

    private CheckpointException NotRecorded(in Chunk chunk) =>
        new(
            CheckpointError.VerificationFailed,
            $"{chunk.Shard.FileName}, tensor \"{chunk.Tensor.Name}\", bytes {chunk.FileOffset} to {chunk.FileOffset + chunk.ByteLength}: "
                + "they are not the bytes that were recorded",
            $"apollo-checkpoint verify --model-dir {Model.Path} names every place and what mends it"
        );
}
