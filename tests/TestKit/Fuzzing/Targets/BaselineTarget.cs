using System.Buffers.Binary;
using System.IO.Hashing;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.Baselines;
using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Fuzzing.Targets;

/// <summary>A baseline file: taken and read, or taken for no file.</summary>
internal sealed class BaselineTarget : FuzzTarget
{
    private readonly byte[] bytes = new byte[ChunkLayout.MaxBytes];
    private readonly FuzzJournal journal;
    private readonly bool[] isHeld;

    internal BaselineTarget()
        : base("baseline")
    {
        journal = FuzzJournal.Make(Folder.File("model"));
        isHeld = new bool[journal.Model.Layout.ChunkCount];
        using (BaselineFile file = BaselineFile.Create(Disk.Instance, BaselinePath, journal.Model.Layout))
        {
            isHeld[1] = true;
            file.EndWriting(journal.Stamp, isHeld);
        }

        Corpus = [File.ReadAllBytes(BaselinePath)];
    }

    private string BaselinePath => Folder.File("x.baseline");

    /// <summary>Bytes of the head before its checksum.</summary>
    private int HeadBytes => 88 + (isHeld.Length + 7) / 8;

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Corpus { get; }

    /// <inheritdoc/>
    public override IReadOnlyCollection<CheckpointError> Refusals => [];

    /// <inheritdoc/>
    public override void Place(byte[] file) => File.WriteAllBytes(BaselinePath, file);

    /// <inheritdoc/>
    public override void Read()
    {
        ModelLayout layout = journal.Model.Layout;
        Array.Clear(isHeld);
        using BaselineFile? file = BaselineFile.TryOpen(Disk.Instance, BaselinePath, layout, journal.Stamp, isHeld, writable: false);
        Require(file is not null || !isHeld.Contains(true), "no file holds a chunk");
        for (int ordinal = 0; file is not null && ordinal < isHeld.Length; ordinal++)
        {
            Require(file.Read(layout[ordinal], bytes.AsSpan(0, layout[ordinal].ByteLength)), "a chunk has no place in the file");
        }
    }

    /// <summary>Only the head is looked at; a file of another length is none.</summary>
    public override byte[] Spoil(byte[] file, Random random)
    {
        byte[] head = Havoc.Spoil(file.AsSpan(0, HeadBytes), random);
        byte[] spoilt = [.. file];
        head.AsSpan(0, Math.Min(head.Length, HeadBytes)).CopyTo(spoilt);
        BinaryPrimitives.WriteUInt128LittleEndian(spoilt.AsSpan(HeadBytes), XxHash128.HashToUInt128(spoilt.AsSpan(0, HeadBytes)));
        return random.Next(8) == 0 ? Havoc.Spoil(spoilt, random) : spoilt;
    }
}
