using System.Buffers.Binary;

namespace ApolloCheckpoint.Engine.Weights.Consistency;

/// <summary>
/// The state page, 64 bytes, little-endian (docs/format-handles.md):
/// <code>
/// 0   8  magic "APOLLOSP"
/// 8   8  u64 sequence, odd while a writer is inside
/// 16  8  u64 step
/// 24  8  u64 nanoseconds since 1970 of the last write
/// 32  4  u32 writer's process id
/// 36  4  u32 flags, 0
/// 40 24  zero
/// </code>
/// </summary>
internal static class StatePageFormat
{
    /// <summary>Bytes of the page.</summary>
    internal const int Size = 64;

    /// <summary>Place of the sequence.</summary>
    internal const int SequenceOffset = 8;

    private static ReadOnlySpan<byte> Magic => "APOLLOSP"u8;

    /// <summary>Reads a page.</summary>
    /// <returns>What it says, or null when it does not begin with the magic.</returns>
    internal static StateSnapshot? Parse(ReadOnlySpan<byte> page) =>
        page.Length == Size && page[..8].SequenceEqual(Magic)
            ? new StateSnapshot(
                BinaryPrimitives.ReadUInt64LittleEndian(page[SequenceOffset..]),
                BinaryPrimitives.ReadUInt64LittleEndian(page[16..]),
                BinaryPrimitives.ReadUInt64LittleEndian(page[24..]),
                BinaryPrimitives.ReadInt32LittleEndian(page[32..])
            )
            : null;

    /// <summary>Writes a page of <see cref="Size"/> bytes.</summary>
    internal static void Write(Span<byte> page, StateSnapshot state)
    {
        page.Clear();
        Magic.CopyTo(page);
        BinaryPrimitives.WriteUInt64LittleEndian(page[SequenceOffset..], state.Sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(page[16..], state.Step);
        BinaryPrimitives.WriteUInt64LittleEndian(page[24..], state.UnixNs);
        BinaryPrimitives.WriteInt32LittleEndian(page[32..], state.WriterPid);
    }
}
