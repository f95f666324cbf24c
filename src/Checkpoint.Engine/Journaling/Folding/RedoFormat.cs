namespace ApolloCheckpoint.Engine.Journaling.Folding;

/// <summary>
/// The layout of a redo file (docs/format-digests.md). It holds <em>absolute</em> new values of the dirty pages of whole chunks of one
/// shard, so that laying it over the shard any number of times, from any mix of old and new sectors, gives the same bytes (invariant 2).
/// <code>
///  0   8  "APOLLORD"
///  8   2  format version (1)
/// 10   2  zero
/// 12  16  lineage
/// 28  16  identity of the model's layout
/// 44   8  the version that its chunks are of
/// 52      varint length and UTF-8 of the shard's file name
///         records by ascending ordinal: ordinal 4 · digest of the chunk after 16 · number of ranges 4
///                                       · ranges: offset inside the chunk 4, length 4 · then the bytes of all ranges
/// end-28  number of records 4
/// end-24  xxh3-128 of everything before
/// end-8   "APOLLORE"
/// </code>
/// It bears the name SHARD.redo only after its fsync; anything that is not whole is nothing.
/// </summary>
internal static class RedoFormat
{
    internal const ushort FormatVersion = 1;

    /// <summary>Bytes of a record before its ranges.</summary>
    internal const int RecordHeadBytes = 24;

    /// <summary>Bytes of a range: offset and length.</summary>
    internal const int RangeBytes = 8;

    /// <summary>Bytes after the last record.</summary>
    internal const int TrailerBytes = 28;

    /// <summary>Bytes a slice may take beside the chunks' own: heads, ranges (at most one per two pages), names.</summary>
    internal const int OverheadBytes = 64 << 10;

    internal static ReadOnlySpan<byte> Magic => "APOLLORD"u8;

    internal static ReadOnlySpan<byte> EndMagic => "APOLLORE"u8;
}
