using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Codes the change of one chunk, and applies it in either direction. Holds the work arrays of one thread, so it is not thread-safe:
/// one a worker, who disposes it. The bytes it produces depend on nothing but its arguments (SIMD and scalar paths give the same bytes).
/// </summary>
internal interface IChunkCodec : IDisposable
{
    /// <summary>Codes before → after with the encoding that takes the fewest bytes.</summary>
    /// <param name="diskType">Element type on disk, of both spans.</param>
    /// <param name="liveType">Element type in the producer's memory; differs from the disk type for a cast tensor.</param>
    /// <param name="before">Disk bytes of the chunk in the parent version; at most 2 MiB.</param>
    /// <param name="after">Disk bytes in the new version; as long, and different.</param>
    /// <param name="changed">Offset and length, bytes, ascending and apart: outside of these ranges both are equal.</param>
    /// <returns>The encoding, the payload (valid until the next call) and the number of changed units.</returns>
    EncodedChunk Encode(
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed
    );

    /// <summary>Codes after alone, for a chunk whose bytes before are damaged (<see cref="ChunkEncoding.Repair"/>).</summary>
    EncodedChunk EncodeRepair(ElementType diskType, ReadOnlySpan<byte> after);

    /// <summary>Applies a payload in place: before becomes after, or, backward, after becomes before.</summary>
    /// <param name="encoding">The encoding.</param>
    /// <param name="diskType">Element type on disk.</param>
    /// <param name="liveType">The live type that was given to <see cref="Encode"/>.</param>
    /// <param name="payload">The payload; hostile: every read is checked.</param>
    /// <param name="bytes">The chunk's bytes, changed in place. Contents are undefined after an exception: give a private buffer.</param>
    /// <param name="backward">From the later version to the earlier.</param>
    /// <exception cref="CheckpointException">JournalDamaged: the payload is corrupt, or goes only forward (Repair).</exception>
    void Apply(
        ChunkEncoding encoding,
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> payload,
        Span<byte> bytes,
        bool backward
    );
}
