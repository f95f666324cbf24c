using ApolloCheckpoint.Engine.Journaling.Deltas;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>What a codec made of a chunk.</summary>
internal readonly ref struct EncodedChunk(ChunkEncoding encoding, ReadOnlySpan<byte> payload, int changedUnits)
{
    /// <summary>How it is coded.</summary>
    public ChunkEncoding Encoding { get; } = encoding;

    /// <summary>The coded bytes; valid until the codec's next call.</summary>
    public ReadOnlySpan<byte> Payload { get; } = payload;

    /// <summary>Units (elements; bytes for packed types) that differ.</summary>
    public int ChangedUnits { get; } = changedUnits;
}
