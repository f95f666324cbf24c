using System.IO.Hashing;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>
/// The layout of a delta file (docs/format-delta.md); nothing but format. Little-endian. Written once, front to back, so what is known
/// only at the end stands at the end, and a reader starts with the trailer.
/// <code>
/// prologue   12   "APOLLODT", u16 format version, u16 zero
/// payloads    P   as the chunks were coded, in any order; bytes that no entry names belong to a chunk that was coded again
/// header      H   lineage 16 · model identity 16 · parent's root 16 · root 16 · version · time · label · step · producer · counts
/// index       I   varint n · n entries by ascending ordinal: gap · type · length · place · then n times digest before 16, after 16
/// trailer    56   u64 offset of the header · u32 H · u32 I · xxh3-64 of header, of index, of everything before the header,
///                 of the trailer's first 40 bytes · "APOLLODE"
/// </code>
/// A version that a reader does not know is refused (JournalTooNew). A field is only ever added together with a new format version.
/// </summary>
internal static class DeltaFormat
{
    /// <summary>The format written here, and the newest that is read.</summary>
    internal const ushort FormatVersion = 1;

    /// <summary>Bytes before the first payload.</summary>
    internal const int PrologueBytes = 12;

    /// <summary>Bytes of the trailer.</summary>
    internal const int TrailerBytes = 56;

    /// <summary>Largest header accepted: 64 bytes of ids, some numbers, and the names of tensors that moved while they were read.</summary>
    internal const int MaxHeaderBytes = 16 << 20;

    /// <summary>Largest payload accepted: a chunk is at most 2 MiB, and no encoding is larger than a few bytes more.</summary>
    internal const int MaxPayloadBytes = ChunkLayout.MaxBytes + (64 << 10);

    /// <summary>Bytes of one entry's two digests.</summary>
    internal const int DigestPairBytes = 32;

    private const int MaxTextBytes = 64 << 10;
    private const byte HasStep = 1;
    private const byte HasPid = 2;
    private const byte HasStart = 4;

    /// <summary>First eight bytes of the file.</summary>
    internal static ReadOnlySpan<byte> Magic => "APOLLODT"u8;

    /// <summary>Last eight bytes of the file.</summary>
    internal static ReadOnlySpan<byte> EndMagic => "APOLLODE"u8;

    /// <summary>The prologue.</summary>
    internal static byte[] WritePrologue()
    {
        FieldWriter fields = new();
        fields.Bytes(Magic);
        fields.U16(FormatVersion);
        fields.U16(0);
        return fields.Written.ToArray();
    }

    /// <summary>Checks the prologue.</summary>
    /// <exception cref="CheckpointException">JournalDamaged, JournalTooNew.</exception>
    internal static void CheckPrologue(ReadOnlySpan<byte> bytes, string path)
    {
        FieldReader fields = new(bytes, path);
        if (!fields.Take(8).SequenceEqual(Magic))
        {
            throw Damaged(path, "does not begin as a delta");
        }

        ushort version = fields.U16();
        if (version != FormatVersion)
        {
            throw new CheckpointException(
                CheckpointError.JournalTooNew,
                $"{path} has format {version}; this program knows format {FormatVersion}",
                "update apollo-checkpoint"
            );
        }

        if (fields.U16() != 0)
        {
            throw Damaged(path, "has a prologue that is not its own");
        }
    }

    /// <summary>The header block.</summary>
    internal static byte[] WriteHeader(DeltaHeader header)
    {
        FieldWriter fields = new();
        fields.U128(header.Lineage);
        fields.U128(header.ModelIdentity);
        fields.U128(header.ParentRoot);
        fields.U128(header.Root);
        fields.Varint((ulong)header.Version);
        fields.Varint((ulong)header.TimeNs);
        fields.Byte((byte)header.Label.Kind);
        fields.Byte(
            (byte)(
                (header.Step is null ? 0 : HasStep)
                | (header.ProducerPid is null ? 0 : HasPid)
                | (header.ProducerStartTicks is null ? 0 : HasStart)
            )
        );
        if (header.Step is { } step)
        {
            fields.Zigzag(step);
        }

        if (header.ProducerPid is { } pid)
        {
            fields.Varint((ulong)pid);
        }

        if (header.ProducerStartTicks is { } start)
        {
            fields.Varint((ulong)start);
        }

        fields.Varint((ulong)header.ChangedUnits);
        fields.Varint((ulong)header.ComparedUnits);
        fields.Text(header.Producer);
        IReadOnlyList<string> mixed = header.Label.MixedTensors ?? [];
        fields.Varint((ulong)mixed.Count);
        foreach (string name in mixed)
        {
            fields.Text(name);
        }

        return fields.Written.ToArray();
    }

    /// <summary>Reads a header block.</summary>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    internal static DeltaHeader ReadHeader(ReadOnlySpan<byte> bytes, string path)
    {
        FieldReader fields = new(bytes, path);
        Digest128 lineage = fields.U128();
        Digest128 identity = fields.U128();
        Digest128 parentRoot = fields.U128();
        Digest128 root = fields.U128();
        long version = fields.Bounded(fields.Varint(), long.MaxValue, "its version");
        long time = fields.Bounded(fields.Varint(), long.MaxValue, "its time");
        ConsistencyKind kind = (ConsistencyKind)fields.Bounded(fields.Byte(), (long)ConsistencyKind.Restored, "its label");
        byte flags = (byte)fields.Bounded(fields.Byte(), HasStep | HasPid | HasStart, "its flags");
        long? step = (flags & HasStep) != 0 ? fields.Zigzag() : null;
        int? pid = (flags & HasPid) != 0 ? (int)fields.Bounded(fields.Varint(), int.MaxValue, "the producer's process id") : null;
        long? start = (flags & HasStart) != 0 ? fields.Bounded(fields.Varint(), long.MaxValue, "the producer's start") : null;
        long changed = fields.Bounded(fields.Varint(), long.MaxValue, "the number of changes");
        long compared = fields.Bounded(fields.Varint(), long.MaxValue, "the number of elements");
        string producer = fields.Text(MaxTextBytes);
        // Every name takes at least its length byte, so a count beyond what is left is a lie.
        int names = (int)fields.Bounded(fields.Varint(), fields.Left, "the number of mixed tensors");
        string[]? mixed = kind == ConsistencyKind.Mixed ? new string[names] : null;
        for (int i = 0; i < names; i++)
        {
            string name = fields.Text(MaxTextBytes);
            _ = mixed is null ? name : mixed[i] = name;
        }

        fields.End();
        return new DeltaHeader
        {
            Lineage = lineage,
            ModelIdentity = identity,
            ParentRoot = parentRoot,
            Root = root,
            Version = version,
            TimeNs = time,
            Label = new ConsistencyLabel(kind, kind is ConsistencyKind.Step or ConsistencyKind.Locked ? step : null, mixed),
            Step = step,
            ProducerPid = pid,
            ProducerStartTicks = start,
            ChangedUnits = changed,
            ComparedUnits = compared,
            Producer = producer,
        };
    }

    /// <summary>The trailer.</summary>
    internal static byte[] WriteTrailer(DeltaTrailer trailer)
    {
        FieldWriter fields = new();
        fields.I64(trailer.HeaderOffset);
        fields.U32((uint)trailer.HeaderBytes);
        fields.U32((uint)trailer.IndexBytes);
        fields.U64(trailer.HeaderChecksum);
        fields.U64(trailer.IndexChecksum);
        fields.U64(trailer.PayloadChecksum);
        fields.U64(XxHash3.HashToUInt64(fields.Written));
        fields.Bytes(EndMagic);
        return fields.Written.ToArray();
    }

    /// <summary>Reads and proves a trailer: the parts it names lie inside the file, one behind the other, to its very end.</summary>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    internal static DeltaTrailer ReadTrailer(ReadOnlySpan<byte> bytes, long fileLength, string path)
    {
        if (bytes.Length != TrailerBytes || !bytes[48..].SequenceEqual(EndMagic))
        {
            throw Damaged(path, "does not end as a delta: it is truncated or overwritten");
        }

        FieldReader fields = new(bytes, path);
        DeltaTrailer trailer = new(
            fields.Bounded(fields.U64(), fileLength, "where its header stands"),
            (int)fields.Bounded(fields.U32(), MaxHeaderBytes, "the length of its header"),
            (int)fields.Bounded(fields.U32(), int.MaxValue, "the length of its index"),
            fields.U64(),
            fields.U64(),
            fields.U64()
        );
        if (fields.U64() != XxHash3.HashToUInt64(bytes[..40]))
        {
            throw Damaged(path, "has a trailer whose checksum does not fit");
        }

        long end = checked(trailer.HeaderOffset + trailer.HeaderBytes + trailer.IndexBytes + TrailerBytes);
        return trailer.HeaderOffset >= PrologueBytes && end == fileLength
            ? trailer
            : throw Damaged(path, $"has {fileLength} bytes, its parts need {end}");
    }

    /// <summary>The exception for a damaged file of the journal.</summary>
    internal static CheckpointException Damaged(string path, string what, Exception? inner = null) =>
        new(
            CheckpointError.JournalDamaged,
            $"{path} {what}",
            "copy the file back from the off-site copy; or, to go on without this history, apollo-checkpoint adopt",
            inner
        );
}
