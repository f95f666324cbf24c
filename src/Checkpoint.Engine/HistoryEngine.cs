using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.History;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;
using ApolloCheckpoint.Engine.Verification;

namespace ApolloCheckpoint.Engine;

/// <summary>
/// What can be done with the history of a model without its producer: restore, prune, adopt, verify. Each opens the directory, recovers
/// what a crash left, does its one thing, and says in every failure what state the model is in.
/// </summary>
internal sealed class HistoryEngine
{
    private readonly IDisk disk;
    private readonly string path;
    private readonly JournalOptions options;
    private string state;

    /// <summary>An engine for one model directory.</summary>
    /// <param name="modelDirectory">The directory.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="options">More options of the journal; the usual ones when null.</param>
    /// <param name="disk">The disk; this machine's when null.</param>
    internal HistoryEngine(string modelDirectory, IProgressSink? progress = null, JournalOptions? options = null, IDisk? disk = null)
    {
        this.disk = disk ?? Disk.Instance;
        path = Path.GetFullPath(modelDirectory);
        state = $"{path} is unchanged";
        this.options = (options ?? new JournalOptions { Codec = () => new ChunkCodec() }) with
        {
            Progress = progress ?? NoProgress.Instance,
        };
    }

    /// <summary>Makes a new version in place that has the bytes of an older one.</summary>
    /// <param name="version">The version that is wanted, or null: the newest; only damage is repaired.</param>
    /// <param name="mirror">A copy of the model to take damaged chunks from, or null.</param>
    /// <param name="way">How the shards are brought up to it.</param>
    /// <param name="cancellation">Before the commit the model is as it was.</param>
    internal RestoreReport Restore(long? version, string? mirror, FoldWay way, CancellationToken cancellation) =>
        Run(() =>
        {
            using JournalSession session = Open(isRepair: mirror is not null, cancellation);
            RestoreReport? repaired = mirror is null ? null : Mirror.Repair(session, mirror, way, cancellation);
            Note(session);
            RestoreReport? restored =
                version is { } wanted && (repaired is null || wanted != repaired.Restored)
                    ? Journaling.History.Restore.InPlace(session, wanted, way, cancellation)
                    : null;
            Note(session);
            return (restored ?? repaired ?? Journaling.History.Restore.InPlace(session, session.Newest, way, cancellation)) with
            {
                FromMirror = repaired?.FromMirror ?? 0,
                Recovered = session.Recovered,
                Warnings = session.Warnings,
            };
        });

    /// <summary>Makes a complete copy of the model at a version.</summary>
    /// <param name="version">The version that is wanted, or null: the newest.</param>
    /// <param name="output">The directory to make.</param>
    /// <param name="mirror">A copy of the model to take damaged chunks from, or null.</param>
    /// <param name="cancellation">Before the end there is no output.</param>
    internal RestoreReport RestoreCopy(long? version, string output, string? mirror, CancellationToken cancellation) =>
        Run(() =>
        {
            using JournalSession session = Open(isRepair: mirror is not null, cancellation);
            return Journaling.History.RestoreCopy.Run(session, version ?? session.Newest, output, mirror, cancellation) with
            {
                Recovered = session.Recovered,
                Warnings = session.Warnings,
            };
        });

    /// <summary>Takes old versions away.</summary>
    internal PruneReport Prune(int? keepLast, TimeSpan? keepWithin, CancellationToken cancellation) =>
        Run(() =>
        {
            using JournalSession session = Open(isRepair: false, cancellation);
            return Journaling.History.Prune.Run(session, keepLast, keepWithin);
        });

    /// <summary>Begins a new history from the files as they are.</summary>
    internal AdoptReport Adopt(CancellationToken cancellation) =>
        Run(() => Journaling.History.Adopt.Run(disk, ModelDirectory.Open(disk, path), options, cancellation));

    /// <summary>Compares files and journal with what was recorded; damage is in the report.</summary>
    internal VerifyReport Verify(CancellationToken cancellation) =>
        Run(() => ShardVerifier.Run(disk, ModelDirectory.Open(disk, path), options, cancellation));

    private JournalSession Open(bool isRepair, CancellationToken cancellation)
    {
        ModelDirectory model = ModelDirectory.Open(disk, path);
        if (disk.Stat(model.StatePath) is null)
        {
            throw new CheckpointException(
                CheckpointError.VersionUnknown,
                $"{path} was never synced, so it has no versions",
                "run apollo-checkpoint sync first"
            );
        }

        JournalSession session = JournalSession.Open(disk, model, options with { Repair = isRepair }, cancellation);
        Note(session);
        return session;
    }

    private void Note(JournalSession session) =>
        state =
            session.FilesVersion == session.Newest
                ? $"{path} is at version {session.Newest}"
                : $"{path} is at version {session.Newest}, its files are at {session.FilesVersion}";

    private T Run<T>(Func<T> step)
    {
        try
        {
            return step();
        }
        catch (OperationCanceledException e)
        {
            throw new CheckpointException(CheckpointError.Cancelled, "cancelled", "run the command again", e) { ModelState = state };
        }
        catch (CheckpointException e)
        {
            e.ModelState ??= state;
            throw;
        }
    }
}
