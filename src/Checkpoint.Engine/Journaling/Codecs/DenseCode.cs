using ApolloCheckpoint.Engine.Journaling.Deltas;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// The encodings that hold every byte: <see cref="ChunkEncoding.Dense"/>, the XOR of both sides, and <see cref="ChunkEncoding.Repair"/>,
/// the bytes after. A form byte, then byte planes, raw or as one zstd frame.
/// </summary>
internal static class DenseCode
{
    /// <summary>Codes the XOR.</summary>
    /// <param name="width">Bytes of a unit.</param>
    /// <param name="before">The chunk.</param>
    /// <param name="after">The chunk as it becomes.</param>
    /// <param name="body">Work array, as long as the chunk.</param>
    /// <param name="zstd">Packs.</param>
    /// <param name="output">One byte longer than the chunk.</param>
    /// <returns>Bytes written.</returns>
    public static int Encode(
        int width,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        Span<byte> body,
        ZstdStage zstd,
        Span<byte> output
    )
    {
        BytePlanes.SplitXor(before, after, width, body[..before.Length]);
        return Pack(body[..before.Length], zstd, output);
    }

    /// <summary>Codes the bytes after.</summary>
    /// <inheritdoc cref="Encode"/>
    public static int EncodeRepair(int width, ReadOnlySpan<byte> after, Span<byte> body, ZstdStage zstd, Span<byte> output)
    {
        BytePlanes.Split(after, width, body[..after.Length]);
        return Pack(body[..after.Length], zstd, output);
    }

    /// <summary>Applies the XOR, which leads both ways, or, to zeroed bytes, a repair.</summary>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    public static void Apply(int width, ReadOnlySpan<byte> payload, Span<byte> bytes, Span<byte> body, ZstdStage zstd)
    {
        if (payload.IsEmpty)
        {
            CodecDamage.Throw("it is empty");
        }

        zstd.Unpack(payload[0], payload[1..], body[..bytes.Length]);
        BytePlanes.Merge(body[..bytes.Length], width, bytes);
    }

    private static int Pack(ReadOnlySpan<byte> body, ZstdStage zstd, Span<byte> output)
    {
        (output[0], int bytes) = zstd.Pack(body, output[1..]);
        return bytes + 1;
    }
}
