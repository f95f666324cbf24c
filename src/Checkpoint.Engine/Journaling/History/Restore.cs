using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>
/// Goes to a version in place: as a new version whose bytes are that version's, so that nothing of the history is lost and the restore
/// itself can be undone. Commit and fold are those of a sync, and so is their crash safety.
/// </summary>
internal static class Restore
{
    /// <summary>Restores in place.</summary>
    /// <param name="session">The opened model.</param>
    /// <param name="version">The version whose bytes are wanted.</param>
    /// <param name="way">How the shards are brought up to it.</param>
    /// <param name="cancellation">Before the commit nothing happened; after it the version exists.</param>
    /// <exception cref="CheckpointException">VersionUnknown, ShardForeign, JournalDamaged, ShardLinked, 15xx: the model is as it was.</exception>
    internal static RestoreReport InPlace(JournalSession session, long version, FoldWay way, CancellationToken cancellation)
    {
        if (!session.Options.ReplaceLinks)
        {
            LinkedShards.Refuse(session.Layout);
        }

        using VersionWalk walk = new(session, version);
        using DeltaWriter writer = session.BeginDelta();
        long changedUnits = AppendDifferences(session, walk, writer, cancellation);
        if (writer.Count == 0)
        {
            writer.Abandon();
            return Report(session, version, writer, null) with { DeltaBytes = 0, WrittenBytes = 0 };
        }

        RequireRoot(session, walk, writer);
        cancellation.ThrowIfCancellationRequested();
        session.Commit(
            writer,
            new VersionFacts
            {
                Label = new ConsistencyLabel(ConsistencyKind.Restored),
                Step = session.Journal.Find(version)?.Step,
                ChangedUnits = changedUnits,
                ComparedUnits = session.Layout.Shards.SelectMany(shard => shard.Header.Tensors).Sum(tensor => tensor.Units),
                ProducerText = $"restored from version {version}",
            }
        );
        return Report(session, version, writer, session.Fold(way, cancellation));
    }

    private static RestoreReport Report(JournalSession session, long version, DeltaWriter writer, FoldReport? fold) =>
        new()
        {
            Restored = version,
            Version = session.Newest,
            FilesVersion = session.FilesVersion,
            Chunks = writer.Count,
            DeltaBytes = writer.BytesWritten,
            WrittenBytes = writer.BytesWritten + (fold?.WrittenBytes ?? 0),
            Warning = fold?.Warning,
        };

    private static long AppendDifferences(JournalSession session, VersionWalk walk, DeltaWriter writer, CancellationToken cancellation)
    {
        long changedUnits = 0;
        int[] ordinals = [.. walk.Changed().Where(ordinal => walk.DigestOf(ordinal) != session.NewestDigest(ordinal))];
        session.Options.Progress.Begin("restore", ordinals.Sum(ordinal => (long)session.Layout[ordinal].ByteLength));
        using ShardFiles files = new(session.Disk, session.Layout.Shards);
        ChunkWorkers.Run(
            ordinals,
            session.Options.Workers,
            () => new RestoreWorker(session),
            (ordinal, worker) =>
            {
                Chunk chunk = session.Layout[ordinal];
                Interlocked.Add(ref changedUnits, Append(session, walk, writer, files, chunk, worker));
                session.Options.Progress.Advance(chunk.ByteLength);
            },
            cancellation
        );
        session.Options.Progress.End();
        return changedUnits;
    }

    private static int Append(
        JournalSession session,
        VersionWalk walk,
        DeltaWriter writer,
        ShardFiles files,
        in Chunk chunk,
        RestoreWorker worker
    )
    {
        Span<byte> newest = files.Read(chunk, worker.Newest);
        session.LayRedoOver(chunk, newest);
        Span<byte> wanted = worker.Wanted.AsSpan(0, newest.Length);
        newest.CopyTo(wanted);
        walk.Bring(chunk, wanted, worker.Codec);
        session.Chain.BringToNewest(chunk, newest, session.NewestDigest(chunk.Ordinal), worker.Codec);

        ElementType type = chunk.Tensor.Type;
        EncodedChunk encoded = worker.Codec.Encode(type, type, newest, wanted);
        Digest128 digest = Digest128.Of(wanted);
        writer.Append(chunk.Ordinal, type, encoded, session.NewestDigest(chunk.Ordinal), digest);
        // Decoded again before the commit: what cannot be read back must not become a version. The newest bytes are not needed any more.
        worker.Codec.Apply(encoded.Encoding, type, type, encoded.Payload.ToArray(), newest, backward: false);
        return Digest128.Of(newest) == digest
            ? encoded.ChangedUnits
            : throw new CheckpointException(
                CheckpointError.Unexpected,
                $"the coded change of tensor \"{chunk.Tensor.Name}\" of {chunk.Shard.FileName} does not give its bytes back",
                "report this as a defect; the model is as it was"
            );
    }

    /// <summary>The root speaks for all chunks, those that no delta names too.</summary>
    private static void RequireRoot(JournalSession session, VersionWalk walk, DeltaWriter writer)
    {
        Digest128[] digests = [.. Enumerable.Range(0, session.Layout.ChunkCount).Select(session.NewestDigest)];
        foreach (DeltaChunk entry in writer.Entries())
        {
            digests[entry.Ordinal] = entry.DigestAfter;
        }

        if (ModelRoot.Of(digests) != walk.Root)
        {
            throw DeltaFormat.Damaged(session.Paths.Journal, $"does not lead back to version {walk.Target} as it was recorded");
        }
    }
}
