using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>One entry of a delta's index: a chunk that changed.</summary>
/// <param name="Ordinal">The chunk's ordinal in the model's layout.</param>
/// <param name="Encoding">How its payload is coded.</param>
/// <param name="LiveType">Element type in the producer's memory.</param>
/// <param name="PayloadOffset">Bytes from the start of the delta file.</param>
/// <param name="PayloadLength">Bytes.</param>
/// <param name="DigestBefore">xxh3-128 of the chunk's disk bytes in the parent version.</param>
/// <param name="DigestAfter">xxh3-128 of the chunk's disk bytes in the new version.</param>
public readonly record struct DeltaChunk(
    int Ordinal,
    ChunkEncoding Encoding,
    ElementType LiveType,
    long PayloadOffset,
    int PayloadLength,
    Digest128 DigestBefore,
    Digest128 DigestAfter
);
