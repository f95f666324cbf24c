using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>
/// Makes a complete, loadable copy of the model as it was at some version, in a fresh directory: shards rebuilt and proven chunk by
/// chunk, every other file copied. It is written beside and renamed when it is whole and durable, so the name never stands for a part.
/// <para>
/// Holds the shards still (<c>shards.lock</c>, shared) and not the directory's lock: syncs go on meanwhile and only their folds wait.
/// </para>
/// </summary>
internal sealed class RestoreCopy : IDisposable
{
    private readonly JournalSession session;
    private readonly VersionWalk walk;
    private readonly ShardFiles files;
    private readonly Mirror? mirror;
    private readonly IDisk disk;
    private long writtenBytes;
    private int fromMirror;

    private RestoreCopy(JournalSession session, VersionWalk walk, string? mirror)
    {
        this.session = session;
        this.walk = walk;
        disk = session.Disk;
        files = new ShardFiles(disk, session.Layout.Shards);
        this.mirror = mirror is null ? null : Mirror.Open(disk, mirror, session.Layout);
    }

    /// <summary>Copies.</summary>
    /// <param name="session">The opened model; given up here, as soon as the shards are held still, so that syncs can go on.</param>
    /// <param name="version">The version that is wanted.</param>
    /// <param name="output">The directory to make; nothing, or an empty folder, stands there.</param>
    /// <param name="mirror">A copy of the model to take damaged chunks from, or null.</param>
    /// <param name="cancellation">Leaves nothing behind.</param>
    /// <exception cref="CheckpointException">
    /// Usage: the output stands already. VersionUnknown, ShardForeign, JournalDamaged, ShardsHeld, 15xx: there is no output.
    /// </exception>
    internal static RestoreReport Run(JournalSession session, long version, string output, string? mirror, CancellationToken cancellation)
    {
        string target = Path.GetFullPath(output);
        RequireFresh(session.Disk, session.Paths, target);
        using IDisposable? still = DirectoryLocks.TryHoldShards(session.Disk, session.Paths);
        if (still is null || (session.IsHalfFolded && session.Damaged.Count == 0))
        {
            throw new CheckpointException(
                CheckpointError.ShardsHeld,
                $"the shards of {session.Paths.Model} are being written, or a fold of them could not be finished yet",
                "run the command again when the other one has ended"
            );
        }

        using VersionWalk walk = new(session, version, isFromAnywhere: mirror is not null);
        using RestoreCopy copy = new(session, walk, mirror);
        // The shards cannot change any more: from here on nobody has to wait for this.
        session.Dispose();
        using UnfinishedCopy unfinished = UnfinishedCopy.Begin(copy.disk, target);
        try
        {
            return copy.Write(unfinished, target, cancellation);
        }
        catch
        {
            unfinished.Abandon();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        files.Dispose();
        mirror?.Dispose();
    }

    private static void RequireFresh(IDisk disk, StatePaths paths, string target)
    {
        string? problem = target switch
        {
            _ when target == paths.Model || target.StartsWith(paths.Model + "/", StringComparison.Ordinal) => "lies in the model directory",
            _ when !IsEmptyOrMissing(disk, target) => "exists already",
            _ => UnfinishedCopy.Obstacle(disk, target),
        };
        if (problem is not null)
        {
            throw new CheckpointException(
                CheckpointError.Usage,
                $"--output {target} {problem}",
                "name a new directory, or remove that one"
            );
        }
    }

    private static bool IsEmptyOrMissing(IDisk disk, string path) =>
        disk.Stat(path) is not { } entry || (entry.Kind == FileEntryKind.Folder && disk.List(path).Count == 0);

    private RestoreReport Write(UnfinishedCopy unfinished, string target, CancellationToken cancellation)
    {
        string writing = unfinished.Folder;
        session.Options.Progress.Begin("restore", session.Layout.Shards.Sum(shard => shard.Length));
        foreach (Shard shard in session.Layout.Shards)
        {
            WriteShard(shard, Path.Combine(writing, shard.FileName), cancellation);
        }

        session.Options.Progress.End();
        RequireRoot();
        FolderCopy others = new(disk, session.Layout.Shards.Select(shard => shard.FileName));
        writtenBytes += others.Run(session.Paths.Model, writing, cancellation);
        if (ModelDirectory.Open(disk, writing).Layout.Identity != session.Layout.Identity)
        {
            throw new CheckpointException(CheckpointError.VerificationFailed, $"{writing} is not the model that was copied", null);
        }

        unfinished.GiveName(target);
        return new RestoreReport
        {
            Restored = walk.Target,
            Version = walk.Target,
            FilesVersion = walk.Target,
            Chunks = session.Layout.ChunkCount,
            FromMirror = fromMirror,
            WrittenBytes = writtenBytes,
            Output = target,
            Skipped = others.Skipped,
        };
    }

    private void WriteShard(Shard shard, string path, CancellationToken cancellation)
    {
        using IDiskFile file = disk.Create(path);
        file.Allocate(shard.Length);
        file.Write(files.ReadHeader(shard), 0);
        (int first, int count) = session.Layout.ChunksOf(shard);
        ChunkWorkers.Run(
            [.. Enumerable.Range(first, count)],
            session.Options.Workers,
            () => new RestoreWorker(session),
            (ordinal, worker) =>
            {
                Chunk chunk = session.Layout[ordinal];
                file.Write(Read(chunk, worker), chunk.FileOffset);
                session.Options.Progress.Advance(chunk.ByteLength);
            },
            cancellation
        );
        disk.CopyAccess(ShardReader.RealPath(disk, shard.FilePath), path);
        file.Flush();
        writtenBytes += shard.Length;
    }

    /// <summary>The chunk in the wanted version: from the files, or, where they are damaged, from the mirror.</summary>
    private ReadOnlySpan<byte> Read(in Chunk chunk, RestoreWorker worker)
    {
        Span<byte> bytes = worker.Wanted.AsSpan(0, chunk.ByteLength);
        if (IsReadFromFiles(chunk, worker))
        {
            return bytes;
        }

        if (mirror?.TryRead(chunk.Ordinal, bytes, walk, worker) == true)
        {
            Interlocked.Increment(ref fromMirror);
            return bytes;
        }

        throw ForeignBytes.At(chunk);
    }

    private bool IsReadFromFiles(in Chunk chunk, RestoreWorker worker)
    {
        try
        {
            return walk.TryBring(chunk, files.Read(chunk, worker.Wanted), worker.Codec);
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.DiskReadFailed && mirror is not null)
        {
            // A bad sector: the mirror may have the bytes.
            return false;
        }
    }

    /// <summary>The root speaks for all chunks together; each was proven by itself already.</summary>
    private void RequireRoot()
    {
        Digest128[] digests = [.. Enumerable.Range(0, session.Layout.ChunkCount).Select(walk.DigestOf)];
        if (ModelRoot.Of(digests) != walk.Root)
        {
            throw DeltaFormat.Damaged(session.Paths.Journal, $"does not lead to version {walk.Target} as it was recorded");
        }
    }
}
