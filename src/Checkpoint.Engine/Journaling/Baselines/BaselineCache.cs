using System.Text;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Baselines;

/// <summary>
/// Keeps the newest version of the chunks that are not folded ready in a file in memory, so that a scan need not apply all deltas to
/// every chunk. It is never the proof of anything: every chunk that is taken from it has the digest of the newest version, or the whole
/// file is given up and the deltas are applied. Nothing that happens to it fails a sync.
/// <code>
/// open      whole, of this history, version and boot: used; else none
/// scan      TryRead
/// commit, fold or neither
/// Update    marked as being written · chunks that changed or are missing brought to the newest version · marked as whole
///           nothing unfolded: deleted
/// </code>
/// </summary>
internal sealed class BaselineCache : IDisposable
{
    private readonly JournalSession session;
    private readonly string path;
    private readonly Digest128 boot;
    private readonly bool[] isHeld;
    private BaselineFile? file;
    private long heldVersion;
    private volatile bool isDamaged;

    /// <summary>Opens what is there.</summary>
    /// <param name="session">The opened model.</param>
    /// <param name="folder">A folder in memory; made when it is missing.</param>
    /// <exception cref="CheckpointException">Usage: somebody else can write there. 15xx.</exception>
    internal BaselineCache(JournalSession session, string folder)
    {
        this.session = session;
        boot = Digest128.Of(Encoding.UTF8.GetBytes(session.Options.BootId));
        isHeld = new bool[session.Layout.ChunkCount];
        path = BaselineFolder.Prepare(session.Disk, folder, session.Paths.Model, create: !session.Options.ReadOnly);
        file = BaselineFile.TryOpen(session.Disk, path, session.Layout, Stamp, isHeld, writable: !session.Options.ReadOnly);
        heldVersion = session.Newest;
        if (!session.Options.ReadOnly && !session.Disk.IsInMemory(Path.GetDirectoryName(path) ?? "/"))
        {
            session.Warnings.Add($"--baseline {folder} is not in memory: every sync writes all changed chunks to its disk");
        }
    }

    private BaselineStamp Stamp => new(session.Lineage, session.Layout.Identity, session.Root, session.Newest, boot);

    /// <summary>Reads a chunk of the newest version. Thread-safe.</summary>
    /// <returns>Whether it is held; the bytes are proven.</returns>
    internal bool TryRead(in Chunk chunk, Span<byte> bytes)
    {
        if (file is null || isDamaged || !isHeld[chunk.Ordinal] || heldVersion != session.Newest)
        {
            return false;
        }

        if (file.Read(chunk, bytes) && Digest128.Of(bytes) == session.NewestDigest(chunk.Ordinal))
        {
            return true;
        }

        isDamaged = true;
        return false;
    }

    /// <summary>Brings it up to the newest version at the end of a run.</summary>
    internal void Update(CancellationToken cancellation)
    {
        if (isDamaged)
        {
            session.Warnings.Add($"the baseline {path} was damaged: deltas were applied in its place, and it is made anew");
            Discard();
        }

        try
        {
            int[] unfolded =
            [
                .. Enumerable.Range(0, session.Layout.ChunkCount).Where(ordinal => session.IsUnfolded(session.Layout[ordinal])),
            ];
            if (unfolded.Length == 0)
            {
                Discard();
                return;
            }

            Hold(unfolded, cancellation);
        }
        catch (Exception e) when (e is CheckpointException or IOException)
        {
            session.Warnings.Add($"the newest version is not kept ready in {path}: {e.Message}");
            Discard();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file?.Dispose();

    private void Hold(int[] unfolded, CancellationToken cancellation)
    {
        bool[] wasHeld = [.. isHeld];
        int[] stale = [.. unfolded.Where(ordinal => !wasHeld[ordinal] || session.Chain.Touches(ordinal, heldVersion))];
        if (file is not null && stale.Length == 0 && heldVersion == session.Newest)
        {
            return;
        }

        BaselineFile target = file ??= BaselineFile.Create(session.Disk, path, session.Layout);
        target.BeginWriting();
        Array.Clear(isHeld);
        foreach (int ordinal in unfolded)
        {
            isHeld[ordinal] = wasHeld[ordinal];
        }

        foreach (int ordinal in stale)
        {
            isHeld[ordinal] = false;
        }

        Fill(target, stale, wasHeld, cancellation);
        heldVersion = session.Newest;
        target.EndWriting(Stamp, isHeld);
        int missing = unfolded.Count(ordinal => !isHeld[ordinal]);
        if (missing > 0)
        {
            session.Warnings.Add(
                $"the baseline {path} has no room for {missing} of {unfolded.Length} chunks: their deltas are applied in every scan"
            );
        }
    }

    private void Fill(BaselineFile target, int[] stale, bool[] wasHeld, CancellationToken cancellation)
    {
        // Others live in this memory too, the producer among them: an eighth of what is free stays free.
        long free = session.Disk.AvailableBytes(Path.GetDirectoryName(path) ?? "/");
        long room = free - free / 8;
        using ShardFiles files = new(session.Disk, session.Layout.Shards);
        ChunkWorkers.Run(
            stale,
            session.Options.Workers,
            () => new Worker(session.Options.Codec(), new byte[session.Layout.LargestChunkBytes]),
            (ordinal, worker) =>
            {
                Chunk chunk = session.Layout[ordinal];
                if (!wasHeld[ordinal] && Interlocked.Add(ref room, -chunk.ByteLength) < 0)
                {
                    Interlocked.Add(ref room, chunk.ByteLength);
                    return;
                }

                Span<byte> bytes = worker.Buffer.AsSpan(0, chunk.ByteLength);
                if (!wasHeld[ordinal] || !target.Read(chunk, bytes))
                {
                    files.Read(chunk, bytes);
                    session.LayRedoOver(chunk, bytes);
                }

                session.Chain.BringToNewest(chunk, bytes, session.NewestDigest(ordinal), worker.Codec);
                target.Write(chunk, bytes);
                isHeld[ordinal] = true;
            },
            cancellation
        );
    }

    /// <summary>Gives the memory back.</summary>
    private void Discard()
    {
        file?.Dispose();
        file = null;
        isDamaged = false;
        Array.Clear(isHeld);
        try
        {
            if (session.Disk.Stat(path) is not null)
            {
                session.Disk.Delete(path);
            }
        }
        catch (Exception e) when (e is CheckpointException or IOException)
        {
            session.Warnings.Add($"{path} takes memory and cannot be removed: {e.Message}");
        }
    }

    /// <summary>Buffer and codec of one thread.</summary>
    private sealed record Worker(IChunkCodec Codec, byte[] Buffer) : IDisposable
    {
        public void Dispose() => Codec.Dispose();
    }
}
