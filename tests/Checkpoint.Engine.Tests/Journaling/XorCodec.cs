using ApolloCheckpoint.Engine.Journaling.Codecs;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Tests.Journaling;

/// <summary>
/// The plainest codec that keeps the contract, so that the journal is tested apart from the real one: all bytes XORed. Like every
/// relative code it undoes itself when it is applied twice, which is what a fold must be safe against.
/// </summary>
internal sealed class XorCodec : IChunkCodec
{
    private byte[] payload = [];

    public EncodedChunk Encode(
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed
    )
    {
        payload = new byte[before.Length];
        int unit = diskType.UnitBytes();
        int count = 0;
        for (int i = 0; i < before.Length; i += unit)
        {
            count += before.Slice(i, unit).SequenceEqual(after.Slice(i, unit)) ? 0 : 1;
            for (int j = i; j < i + unit; j++)
            {
                payload[j] = (byte)(before[j] ^ after[j]);
            }
        }

        return new EncodedChunk(ChunkEncoding.Dense, payload, count);
    }

    public EncodedChunk EncodeRepair(ElementType diskType, ReadOnlySpan<byte> after)
    {
        payload = after.ToArray();
        return new EncodedChunk(ChunkEncoding.Repair, payload, after.Length / diskType.UnitBytes());
    }

    public void Dispose() { }

    public void Apply(
        ChunkEncoding encoding,
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> payload,
        Span<byte> bytes,
        bool backward
    )
    {
        bool isWhole = payload.Length == bytes.Length && encoding is ChunkEncoding.Dense or ChunkEncoding.Repair;
        if (!isWhole || (backward && encoding == ChunkEncoding.Repair))
        {
            throw new CheckpointException(CheckpointError.JournalDamaged, "the payload does not fit the chunk");
        }

        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = encoding == ChunkEncoding.Repair ? payload[i] : (byte)(bytes[i] ^ payload[i]);
        }
    }
}
