using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.Folding;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary>A redo: taken and laid over every chunk, or taken for no file.</summary>
internal sealed class RedoTarget : FuzzTarget
{
    private const int TailBytes = 8;
    private readonly byte[] bytes = new byte[ChunkLayout.MaxBytes];
    private readonly FuzzJournal journal;

    internal RedoTarget()
        : base("redo")
    {
        journal = FuzzJournal.Make(Folder.File("model"));
        Corpus = [journal.MakeRedo()];
    }

    private string RedoPath => Folder.File("x.redo");

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals => [];

    /// <inheritdoc/>
    public override void Place(byte[] file) => File.WriteAllBytes(RedoPath, file);

    /// <inheritdoc/>
    public override void Read()
    {
        ModelLayout layout = journal.Model.Layout;
        using RedoReader? redo = RedoReader.TryOpen(Disk.Instance, RedoPath, journal.Lineage, layout, layout.Shards[0]);
        foreach (int ordinal in redo?.Ordinals ?? [])
        {
            redo!.LayOver(layout[ordinal], bytes.AsSpan(0, layout[ordinal].ByteLength));
        }
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random) => FixedUp.Checksummed(file, TailBytes, random);
}
