using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.Engine.Journaling.History;

/// <summary>
/// Another copy of the model (an off-site mirror), of any version of the history: where chunks of the files are damaged, its bytes are
/// taken, if their digest proves them. What it holds otherwise does not matter.
/// </summary>
internal sealed class Mirror : IDisposable
{
    private readonly ModelLayout layout;
    private readonly ShardFiles files;

    private Mirror(ModelLayout layout, ShardFiles files)
    {
        this.layout = layout;
        this.files = files;
    }

    /// <summary>Opens a mirror.</summary>
    /// <exception cref="CheckpointException">10xx: it is no model. JournalForeign: another model.</exception>
    internal static Mirror Open(IDisk disk, string path, ModelLayout layout)
    {
        ModelDirectory mirror = ModelDirectory.Open(disk, path);
        return mirror.Layout.Identity == layout.Identity
            ? new Mirror(mirror.Layout, new ShardFiles(disk, mirror.Layout.Shards))
            : throw new CheckpointException(
                CheckpointError.JournalForeign,
                $"{mirror.Path} holds another model: its shards or their headers differ",
                "name the directory of a copy of this model"
            );
    }

    /// <summary>Reads the mirror's bytes of a chunk and brings them to a version.</summary>
    /// <returns>False when they are of no version, or cannot be read.</returns>
    internal bool TryRead(int ordinal, Span<byte> bytes, VersionWalk walk, RestoreWorker worker)
    {
        try
        {
            Chunk chunk = layout[ordinal];
            files.Read(chunk, worker.Newest).CopyTo(bytes);
            return walk.TryBring(chunk, bytes, worker.Codec);
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.DiskReadFailed)
        {
            // A bad sector of the mirror: then it does not have these bytes.
            return false;
        }
    }

    /// <summary>
    /// Puts what a mirror proves in the place of damaged chunks: as a new version with the same bytes as the newest, which holds these
    /// chunks as absolute values, so that a fold can write them over anything.
    /// </summary>
    /// <param name="session">Opened so that damage is tolerated (<see cref="JournalOptions.Repair"/>).</param>
    /// <param name="path">The mirror's directory.</param>
    /// <param name="way">How the shards are brought up to it.</param>
    /// <param name="cancellation">Before the commit nothing happened.</param>
    /// <returns>What was done, or null when nothing is damaged.</returns>
    /// <exception cref="CheckpointException">ShardForeign: the mirror does not have a damaged chunk either; nothing happened.</exception>
    internal static RestoreReport? Repair(JournalSession session, string path, FoldWay way, CancellationToken cancellation)
    {
        int[] damaged = [.. session.Damaged.Order()];
        if (damaged.Length == 0)
        {
            return null;
        }

        using Mirror mirror = Open(session.Disk, path, session.Layout);
        using VersionWalk walk = new(session, session.Newest, isFromAnywhere: true);
        using DeltaWriter writer = session.BeginDelta();
        using RestoreWorker worker = new(session);
        foreach (Chunk chunk in damaged.Select(ordinal => session.Layout[ordinal]))
        {
            cancellation.ThrowIfCancellationRequested();
            Span<byte> bytes = worker.Wanted.AsSpan(0, chunk.ByteLength);
            if (!mirror.TryRead(chunk.Ordinal, bytes, walk, worker))
            {
                throw ForeignBytes.At(chunk);
            }

            Digest128 digest = Digest128.Of(bytes);
            writer.Append(chunk.Ordinal, chunk.Tensor.Type, worker.Codec.EncodeRepair(chunk.Tensor.Type, bytes), digest, digest);
        }

        long restored = session.Newest;
        session.Commit(
            writer,
            new VersionFacts
            {
                Label = new ConsistencyLabel(ConsistencyKind.Restored),
                Step = session.Journal.Last?.Step,
                // The weights are those of the version before, so whoever holds them still does.
                Producer = session.State.Producer ?? new ProducerRecord("unknown", null, null, null, null),
                ProducerText = $"{damaged.Length} damaged chunks from {path}",
            }
        );
        FoldReport fold = session.Fold(way, cancellation);
        return new RestoreReport
        {
            Restored = restored,
            Version = session.Newest,
            FilesVersion = session.FilesVersion,
            Chunks = damaged.Length,
            FromMirror = damaged.Length,
            DeltaBytes = writer.BytesWritten,
            WrittenBytes = writer.BytesWritten + fold.WrittenBytes,
            Warning = fold.Warning,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => files.Dispose();
}
