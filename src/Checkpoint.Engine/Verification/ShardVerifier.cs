using System.Collections.Concurrent;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Verification;

/// <summary>
/// Reads every byte of the shards and of the journal and compares it with what was recorded, on all cores. Reads by position, so that a
/// bad sector is found and named and does not end the process. Holds the shards still and nothing else: syncs go on meanwhile.
/// </summary>
internal sealed class ShardVerifier
{
    private const int PageBytes = 4096;

    private readonly IDisk disk;
    private readonly ModelDirectory model;
    private readonly StatePaths paths;
    private readonly JournalOptions options;
    private readonly CancellationToken cancellation;
    private readonly ConcurrentBag<VerifyDamage> damage = [];
    private readonly List<string> recovered = [];

    private ShardVerifier(IDisk disk, ModelDirectory model, JournalOptions options, CancellationToken cancellation)
    {
        this.disk = disk;
        this.model = model;
        this.options = options;
        this.cancellation = cancellation;
        paths = new StatePaths(model.Path);
    }

    /// <summary>Verifies files and journal.</summary>
    /// <exception cref="CheckpointException">
    /// VersionUnknown: there is nothing to compare with. ShardsHeld: a fold is at work. Damage is no exception but in the report.
    /// </exception>
    internal static VerifyReport Run(IDisk disk, ModelDirectory model, JournalOptions options, CancellationToken cancellation) =>
        new ShardVerifier(disk, model, options, cancellation).Run();

    private VerifyReport Run()
    {
        if (disk.Stat(paths.Folder) is null)
        {
            throw new CheckpointException(
                CheckpointError.VersionUnknown,
                $"{model.Path} was never synced, so there is nothing to compare it with",
                "run apollo-checkpoint sync first"
            );
        }

        using IDisposable still = HoldStill(out DigestTable table);
        options.Progress.Begin("verify", model.Layout.DataBytes);
        VerifyShards(table);
        options.Progress.End();
        // Deltas of a model with other headers cannot be opened as this one's; that its headers changed is said already.
        int deltas = table.Fits(model.Layout) ? VerifyJournal() : 0;
        return new VerifyReport
        {
            FilesVersion = table.Shards.Min(shard => shard.Version),
            Shards = model.Layout.Shards.Count,
            Bytes = model.Layout.Shards.Sum(shard => shard.Length),
            Deltas = deltas,
            Damage = [.. damage.OrderBy(row => row.FileName, StringComparer.Ordinal).ThenBy(row => row.FileOffset)],
            Recovered = recovered,
        };
    }

    /// <summary>A free lock does not mean a whole model (invariant 9): what is half folded is recovered first, without the lock.</summary>
    private IDisposable HoldStill(out DigestTable table)
    {
        for (int attempt = 0; ; attempt++)
        {
            IDisposable held = DirectoryLocks.TryHoldShards(disk, paths) ?? throw Held();
            if (!PendingWork.IsHalfFolded(disk, model.Layout, paths) && DigestTable.TryRead(disk, paths.Digests) is { } found)
            {
                table = found;
                return held;
            }

            held.Dispose();
            if (attempt > 0)
            {
                throw Held();
            }

            using JournalSession session = JournalSession.Open(disk, model, options, cancellation);
            recovered.AddRange(session.Recovered);
        }
    }

    private CheckpointException Held() =>
        new(
            CheckpointError.ShardsHeld,
            $"the shards of {model.Path} are being written, or a fold of them could not be finished yet",
            "run the command again when the other one has ended"
        );

    private void VerifyShards(DigestTable table)
    {
        VerifyHeaders(table);
        if (!table.Fits(model.Layout))
        {
            return;
        }

        using ShardFiles files = new(disk, model.Layout.Shards);
        ChunkWorkers.Run(
            [.. Enumerable.Range(0, model.Layout.ChunkCount)],
            options.Workers,
            () => new byte[model.Layout.LargestChunkBytes],
            (ordinal, buffer) => VerifyChunk(files, model.Layout[ordinal], table.Digests[ordinal], buffer),
            cancellation
        );
    }

    private void VerifyHeaders(DigestTable table)
    {
        Dictionary<string, Digest128> recorded = table.Shards.ToDictionary(
            row => row.FileName,
            row => row.HeaderDigest,
            StringComparer.Ordinal
        );
        foreach (Shard shard in model.Layout.Shards)
        {
            if (!recorded.Remove(shard.FileName, out Digest128 digest) || digest != shard.Header.Digest)
            {
                Add("header", shard.FileName, null, 0, shard.Header.DataStart, "its header is not the one that was recorded");
            }
        }

        foreach (string missing in recorded.Keys)
        {
            Add("header", missing, null, 0, 0, "the shard was recorded and is not part of the model any more");
        }
    }

    private void VerifyChunk(ShardFiles files, in Chunk chunk, Digest128 recorded, byte[] buffer)
    {
        string name = chunk.Tensor.Name;
        try
        {
            if (Digest128.Of(files.Read(chunk, buffer)) != recorded)
            {
                Add("bytes", chunk.Shard.FileName, name, chunk.FileOffset, chunk.ByteLength, "they are not the bytes that were recorded");
            }
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.DiskReadFailed)
        {
            (long begin, long end) = FindUnreadable(chunk, buffer);
            Add("unreadable", chunk.Shard.FileName, name, begin, end - begin, e.Message);
        }

        options.Progress.Advance(chunk.ByteLength);
    }

    /// <summary>From the first to the last page of the chunk that cannot be read.</summary>
    private (long Begin, long End) FindUnreadable(in Chunk chunk, byte[] buffer)
    {
        using IDiskFile file = disk.Open(ShardReader.RealPath(disk, chunk.Shard.FilePath));
        long end = chunk.FileOffset + chunk.ByteLength;
        List<(long Begin, long End)> bad = [];
        long next;
        for (long at = chunk.FileOffset; at < end; at = next)
        {
            next = Math.Min(end, at - at % PageBytes + PageBytes);
            try
            {
                file.Read(buffer.AsSpan(0, (int)(next - at)), at);
            }
            catch (CheckpointException e) when (e.Error == CheckpointError.DiskReadFailed)
            {
                bad.Add((at, next));
            }
        }

        return bad.Count == 0 ? (chunk.FileOffset, end) : (bad[0].Begin, bad[^1].End);
    }

    private int VerifyJournal()
    {
        int count = 0;
        try
        {
            ModelState? state = ModelState.TryRead(disk, paths.State);
            Journal journal = Journal.Open(disk, paths, model.Layout, state?.Oldest ?? 0);
            foreach (DeltaHeader header in journal.Versions)
            {
                count++;
                VerifyDelta(journal, header.Version);
            }
        }
        catch (CheckpointException e) when (e.ExitCode == 14)
        {
            Add("delta", "journal", null, 0, 0, e.Message);
        }

        return count;
    }

    private void VerifyDelta(Journal journal, long version)
    {
        try
        {
            using DeltaReader delta = journal.OpenDelta(version);
            delta.VerifyPayloads(cancellation);
        }
        catch (CheckpointException e) when (e.ExitCode is 14 or 16)
        {
            // A prune may have taken it meanwhile, which is no damage.
            if (disk.Stat(paths.Delta(version)) is { } entry)
            {
                Add("delta", Path.GetFileName(paths.Delta(version)), null, 0, entry.Length, e.Message);
            }
        }
    }

    private void Add(string kind, string fileName, string? tensor, long fileOffset, long length, string what)
    {
        string where = tensor is null ? fileName : $"{fileName}, tensor \"{tensor}\", bytes {fileOffset} to {fileOffset + length}";
        damage.Add(new VerifyDamage(kind, fileName, tensor, fileOffset, length, $"{where}: {what}"));
    }
}
