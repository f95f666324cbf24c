using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary>A delta: its parts, every entry, and every payload, applied both ways.</summary>
internal sealed class DeltaTarget : FuzzTarget
{
    private readonly ChunkCodec codec = new();
    private readonly byte[] payload = new byte[DeltaFormat.MaxPayloadBytes];
    private readonly byte[] bytes = new byte[ChunkLayout.MaxBytes];
    private readonly ModelLayout layout;

    internal DeltaTarget()
        : base("delta")
    {
        FuzzJournal journal = FuzzJournal.Make(Folder.File("model"));
        layout = journal.Model.Layout;
        Corpus = [File.ReadAllBytes(journal.Paths.Delta(1)), File.ReadAllBytes(journal.Paths.Delta(2))];
    }

    private string DeltaPath => Folder.File("1.delta");

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals =>
        [CheckpointError.JournalDamaged, CheckpointError.JournalForeign, CheckpointError.JournalTooNew];

    /// <inheritdoc/>
    public override void Place(byte[] file) => File.WriteAllBytes(DeltaPath, file);

    /// <inheritdoc/>
    public override void Read()
    {
        using DeltaReader delta = DeltaReader.Open(Disk.Instance, DeltaPath, layout);
        delta.VerifyPayloads(CancellationToken.None);
        int previous = -1;
        foreach (DeltaChunk entry in delta.ReadChunks())
        {
            Require(entry.Ordinal > previous && entry.Ordinal < layout.ChunkCount, "chunks are out of order");
            previous = entry.Ordinal;
            Apply(delta, entry, backward: false);
            Apply(delta, entry, backward: true);
        }
    }

    /// <inheritdoc/>
    public override byte[] Spoil(byte[] file, Random random) => FixedUp.Delta(file, random);

    /// <inheritdoc/>
    public override void Dispose()
    {
        codec.Dispose();
        base.Dispose();
    }

    /// <summary>A payload that cannot be applied is damage of its own; the next one is looked at all the same.</summary>
    private void Apply(DeltaReader delta, in DeltaChunk entry, bool backward)
    {
        Chunk chunk = layout[entry.Ordinal];
        Span<byte> place = bytes.AsSpan(0, chunk.ByteLength);
        place.Fill(0x3c);
        try
        {
            codec.Apply(entry.Encoding, chunk.Tensor.Type, entry.LiveType, delta.ReadPayload(entry, payload), place, backward);
        }
        catch (CheckpointException e) when (e.Error == CheckpointError.JournalDamaged) { }
    }
}
