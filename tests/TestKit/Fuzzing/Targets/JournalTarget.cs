using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.State;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary>
/// A whole model directory of which one file of ours is spoilt, opened and recovered as a sync does. An input's first byte says which
/// file it is.
/// </summary>
internal sealed class JournalTarget : FuzzTarget
{
    private readonly FuzzJournal journal;
    private readonly string[] places;
    private readonly byte[]?[] contents;
    private readonly byte[] shard;

    internal JournalTarget()
        : base("journal")
    {
        journal = FuzzJournal.Make(Folder.File("model"));
        byte[] redo = journal.MakeRedo();
        StatePaths paths = journal.Paths;
        places = [paths.Delta(1), paths.Delta(2), paths.Digests, paths.State, paths.RedoOf(ModelDirectory.SingleName)];
        contents = [.. places.Select(path => File.Exists(path) ? File.ReadAllBytes(path) : null)];
        shard = File.ReadAllBytes(ShardPath);
        Corpus = [.. places.Select((_, i) => (byte[])[(byte)i, .. contents[i] ?? redo])];
    }

    private string ShardPath => System.IO.Path.Combine(journal.Path, ModelDirectory.SingleName);

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals =>
        [CheckpointError.JournalDamaged, CheckpointError.JournalForeign, CheckpointError.JournalTooNew, CheckpointError.ShardForeign];

    /// <summary>Everything as it was, then the one file. What an earlier input left behind is gone.</summary>
    public override void Place(byte[] file)
    {
        Directory.Delete(journal.Paths.Folder, recursive: true);
        Directory.CreateDirectory(journal.Paths.Journal);
        Directory.CreateDirectory(journal.Paths.Redo);
        File.WriteAllBytes(ShardPath, shard);
        int place = file.Length == 0 ? 0 : file[0] % places.Length;
        for (int i = 0; i < places.Length; i++)
        {
            byte[]? content = i == place ? file[Math.Min(1, file.Length)..] : contents[i];
            if (content is not null)
            {
                File.WriteAllBytes(places[i], content);
            }
        }
    }

    /// <inheritdoc/>
    public override void Read()
    {
        using JournalSession session = JournalSession.Open(Disk.Instance, journal.Model, FuzzJournal.Options, CancellationToken.None);
        Require(session.Newest is 0 or 1 or 2, $"the newest version is {session.Newest}");
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random)
    {
        byte[] body = file[Math.Min(1, file.Length)..];
        int place = file.Length == 0 ? 0 : file[0] % places.Length;
        byte[] spoilt = place switch
        {
            0 or 1 => FixedUp.Delta(body, random),
            2 => FixedUp.Checksummed(body, tail: 0, random),
            3 => JsonHavoc.Spoil(body, random),
            _ => FixedUp.Checksummed(body, tail: 8, random),
        };
        return [(byte)place, .. spoilt];
    }
}
