using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Journaling;
using ApolloCheckpoint.Engine.Journaling.Baselines;
using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Journaling.Recovering;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Scanning;

/// <summary>
/// The work of one thread of a scan, with its buffers. A live chunk is copied once into a private buffer and compared, coded and
/// digested there, because the producer never holds still.
/// </summary>
internal sealed class ScanWorker(ModelScan scan, JournalSession session, Baseline baseline, IChunkCodec codec) : IDisposable
{
    // Memory that is never used is never made: most chunks need neither conversion nor proof.
    private readonly LiveReader reader = new(scan.Source);
    private readonly byte[] before = GC.AllocateUninitializedArray<byte>(ChunkLayout.MaxBytes);
    private readonly byte[] converted = GC.AllocateUninitializedArray<byte>(ChunkLayout.MaxBytes);
    private readonly byte[] check = GC.AllocateUninitializedArray<byte>(ChunkLayout.MaxBytes);
    private readonly List<(int Offset, int Length)> dirty = [];
    private byte[] payload = new byte[64 << 10];
    private ReadOnlyMemory<byte> live;

    /// <summary>Says which unit this worker reads next.</summary>
    internal void Expect(ScanUnit unit) => reader.Expect(unit, session.Layout[unit.Ordinals[0]]);

    /// <summary>Copies the live bytes of a unit.</summary>
    /// <returns>Their xxh3-128.</returns>
    internal Digest128 ReadLive(ScanUnit unit)
    {
        live = reader.Read(unit, session.Layout[unit.Ordinals[0]]);
        return Digest128.Of(live.Span);
    }

    /// <summary>Whether other ranks hold the bytes that were just copied, bit for bit.</summary>
    internal bool CopiesAgree(ScanUnit unit) => reader.CopiesAre(unit, session.Layout[unit.Ordinals[0]], live.Span);

    /// <summary>Compares the copied live bytes with every chunk on disk that takes them.</summary>
    internal void Compare(ScanUnit unit, Digest128 liveDigest)
    {
        for (int i = 0; i < unit.Ordinals.Count; i++)
        {
            Chunk chunk = session.Layout[unit.Ordinals[i]];
            ElementType liveType = unit.Twins[i].LiveType;
            ReadOnlySpan<byte> old = baseline.Read(chunk, before, codec);
            if (liveType == chunk.Tensor.Type)
            {
                scan.Record(chunk.Ordinal, Compare(chunk, liveType, old, live.Span, liveDigest));
                continue;
            }

            Span<byte> after = converted.AsSpan(0, chunk.ByteLength);
            ElementConversion.Apply(chunk.Tensor.Type, liveType, old, live.Span, after);
            scan.Record(chunk.Ordinal, Compare(chunk, liveType, old, after, Digest128.Of(after)));
        }
    }

    /// <summary>Lets go of the codec and of what was read ahead.</summary>
    public void Dispose()
    {
        codec.Dispose();
        reader.Dispose();
    }

    private ChunkOutcome Compare(
        in Chunk chunk,
        ElementType liveType,
        ReadOnlySpan<byte> old,
        ReadOnlySpan<byte> after,
        Digest128 afterDigest
    )
    {
        Digest128 recorded = session.NewestDigest(chunk.Ordinal);
        int pages = DirtyPages.Find(old, after, chunk.FileOffset, dirty);
        bool isEqual = pages == 0;
        bool isKnown = (isEqual ? afterDigest : Digest128.Of(old)) == recorded;
        if (!isKnown && !session.Options.Repair)
        {
            throw ForeignBytes.At(chunk);
        }

        if (isKnown && isEqual)
        {
            scan.Delta?.Remove(chunk.Ordinal);
            return default;
        }

        ReadOnlySpan<(int, int)> ranges = CollectionsMarshal.AsSpan(dirty);
        int? changed = null;
        if (scan.Delta is { } delta)
        {
            EncodedChunk encoded = isKnown
                ? Kept(codec.Encode(chunk.Tensor.Type, liveType, old, after, ranges))
                : Kept(codec.EncodeRepair(chunk.Tensor.Type, after));
            Prove(chunk, liveType, encoded, old, recorded, afterDigest);
            delta.Append(chunk.Ordinal, liveType, encoded, recorded, afterDigest);
            if (isKnown)
            {
                delta.Pages?.Keep(chunk.Ordinal, dirty, pages, after);
                changed = encoded.ChangedUnits;
            }
        }

        long place = chunk.FileOffset - chunk.Tensor.FileOffset;
        return new ChunkOutcome(
            changed ?? BlockDiffer.CountChanged(old, after, chunk.Tensor.Type.UnitBytes(), ranges),
            BlockDiffer.Blocks(old, after, ranges, place, scan.BlockSize)
        );
    }

    /// <summary>
    /// Decodes what was coded, both ways, while the producer still has the data: a version that could not be read again is worse than
    /// a sync that fails.
    /// </summary>
    private void Prove(
        in Chunk chunk,
        ElementType liveType,
        EncodedChunk encoded,
        ReadOnlySpan<byte> old,
        Digest128 digestBefore,
        Digest128 digestAfter
    )
    {
        Span<byte> bytes = check.AsSpan(0, chunk.ByteLength);
        old.CopyTo(bytes);
        codec.Apply(encoded.Encoding, chunk.Tensor.Type, liveType, encoded.Payload, bytes, backward: false);
        bool isRight = Digest128.Of(bytes) == digestAfter;
        if (isRight && encoded.Encoding != ChunkEncoding.Repair)
        {
            codec.Apply(encoded.Encoding, chunk.Tensor.Type, liveType, encoded.Payload, bytes, backward: true);
            isRight = Digest128.Of(bytes) == digestBefore;
        }

        if (!isRight)
        {
            throw new CheckpointException(
                CheckpointError.Unexpected,
                $"tensor \"{chunk.Tensor.Name}\": a coded chunk does not decode to what was coded ({encoded.Encoding}, {chunk.Units} units)",
                "this is a defect of apollo-checkpoint: please report it with this line; nothing was changed"
            );
        }
    }

    /// <summary>Copies the payload out of the codec, which reuses its memory when it decodes.</summary>
    private EncodedChunk Kept(EncodedChunk encoded)
    {
        if (payload.Length < encoded.Payload.Length)
        {
            payload = new byte[encoded.Payload.Length + encoded.Payload.Length / 4];
        }

        encoded.Payload.CopyTo(payload);
        return new EncodedChunk(encoded.Encoding, payload.AsSpan(0, encoded.Payload.Length), encoded.ChangedUnits);
    }
}
