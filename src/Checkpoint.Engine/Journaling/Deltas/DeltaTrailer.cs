namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>The fixed end of a delta file: where the rest of it stands.</summary>
/// <param name="HeaderOffset">Bytes from the start of the file to the header block; the payloads end there.</param>
/// <param name="HeaderBytes">Bytes of the header block; the index follows it.</param>
/// <param name="IndexBytes">Bytes of the index; the trailer follows it.</param>
/// <param name="HeaderChecksum">xxh3-64 of the header block.</param>
/// <param name="IndexChecksum">xxh3-64 of the index.</param>
/// <param name="PayloadChecksum">xxh3-64 of everything before the header block.</param>
internal readonly record struct DeltaTrailer(
    long HeaderOffset,
    int HeaderBytes,
    int IndexBytes,
    ulong HeaderChecksum,
    ulong IndexChecksum,
    ulong PayloadChecksum
);
