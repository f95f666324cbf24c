using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>
/// The index of a delta. Entries by ascending ordinal, and small, because a model of many small tensors has many of them:
/// <code>
/// varint n
/// n times   varint gap      ordinal less the previous ordinal less 1 (the first: the ordinal)
///           byte            encoding in the upper three bits, live element type in the lower five
///           varint length   bytes of the payload
///           zigzag place    payload's offset less the end of the previous entry's payload (the first: less the prologue's end)
/// n times   digest before 16, digest after 16
/// </code>
/// In memory an entry takes 17 bytes; the digests are read from the file when asked for, since a long chain of deltas is open at once.
/// </summary>
internal sealed class DeltaIndex
{
    private readonly int[] ordinals;
    private readonly byte[] kinds;
    private readonly int[] lengths;
    private readonly long[] offsets;

    private DeltaIndex(int count)
    {
        ordinals = new int[count];
        kinds = new byte[count];
        lengths = new int[count];
        offsets = new long[count];
    }

    /// <summary>Number of entries.</summary>
    internal int Count => ordinals.Length;

    /// <summary>Bytes from the start of the index to the first pair of digests.</summary>
    internal int DigestsOffset { get; private init; }

    /// <summary>The index of these entries.</summary>
    /// <param name="entries">By ascending ordinal.</param>
    internal static byte[] Write(IReadOnlyList<DeltaChunk> entries)
    {
        FieldWriter fields = new();
        fields.Varint((ulong)entries.Count);
        int previous = -1;
        long end = DeltaFormat.PrologueBytes;
        foreach (DeltaChunk entry in entries)
        {
            fields.Varint((ulong)(entry.Ordinal - previous - 1));
            fields.Byte((byte)(((int)entry.Encoding << 5) | (int)entry.LiveType));
            fields.Varint((ulong)entry.PayloadLength);
            fields.Zigzag(entry.PayloadOffset - end);
            previous = entry.Ordinal;
            end = entry.PayloadOffset + entry.PayloadLength;
        }

        foreach (DeltaChunk entry in entries)
        {
            fields.U128(entry.DigestBefore);
            fields.U128(entry.DigestAfter);
        }

        return fields.Written.ToArray();
    }

    /// <summary>Reads an index whose checksum holds, and still believes nothing.</summary>
    /// <param name="bytes">The index.</param>
    /// <param name="chunkCount">Chunks of the model's layout.</param>
    /// <param name="payloadEnd">Bytes from the start of the file to the end of the payloads.</param>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    internal static DeltaIndex Read(ReadOnlySpan<byte> bytes, int chunkCount, long payloadEnd, string path)
    {
        FieldReader fields = new(bytes, path);
        int count = (int)
            fields.Bounded(fields.Varint(), Math.Min(chunkCount, bytes.Length / DeltaFormat.DigestPairBytes), "the number of chunks");
        DeltaIndex index = new(count) { DigestsOffset = bytes.Length - count * DeltaFormat.DigestPairBytes };
        int previous = -1;
        long end = DeltaFormat.PrologueBytes;
        for (int i = 0; i < count; i++)
        {
            index.ordinals[i] =
                previous + 1 + (int)fields.Bounded(fields.Varint(), chunkCount - 2L - previous, "the gap to the next chunk");
            index.kinds[i] = CheckKind(ref fields, fields.Byte());
            index.lengths[i] = (int)fields.Bounded(fields.Varint(), DeltaFormat.MaxPayloadBytes, "the length of a payload");
            index.offsets[i] = CheckPlace(ref fields, end, fields.Zigzag(), index.lengths[i], payloadEnd);
            previous = index.ordinals[i];
            end = index.offsets[i] + index.lengths[i];
        }

        if (fields.Left != count * DeltaFormat.DigestPairBytes)
        {
            throw fields.Damaged("has an index that is not as long as it says");
        }

        return index;
    }

    /// <summary>Position of a chunk's entry, or a negative number.</summary>
    internal int Find(int ordinal) => Array.BinarySearch(ordinals, ordinal);

    /// <summary>Whether an entry's chunk is one of <paramref name="count"/> from <paramref name="first"/> on.</summary>
    internal bool Touches(int first, int count)
    {
        int i = Find(first);
        i = i < 0 ? ~i : i;
        return i < Count && ordinals[i] < first + count;
    }

    /// <summary>The entry at a position.</summary>
    internal DeltaChunk At(int i, Digest128 before, Digest128 after) =>
        new(ordinals[i], (ChunkEncoding)(kinds[i] >> 5), (ElementType)(kinds[i] & 31), offsets[i], lengths[i], before, after);

    private static byte CheckKind(ref FieldReader fields, byte kind)
    {
        bool isKnown =
            (ChunkEncoding)(kind >> 5) is >= ChunkEncoding.ClassCode and <= ChunkEncoding.Repair
            && ElementTypes.IsDefined((ElementType)(kind & 31));
        return isKnown ? kind : throw fields.Damaged($"has a chunk of unknown coding {kind}");
    }

    private static long CheckPlace(ref FieldReader fields, long previousEnd, long difference, int length, long payloadEnd)
    {
        // Both bounds are below 2^63, so the comparison cannot overflow; the sum could.
        bool isInside = difference >= DeltaFormat.PrologueBytes - previousEnd && difference <= payloadEnd - length - previousEnd;
        return isInside ? previousEnd + difference : throw fields.Damaged("has a payload outside of itself");
    }
}
