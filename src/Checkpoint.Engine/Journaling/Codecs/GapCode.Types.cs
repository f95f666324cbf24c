using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>The gap code for the units of any element type.</summary>
internal static partial class GapCode
{
    /// <summary>Codes a chunk.</summary>
    /// <returns>Bytes written, or null when the body passes the chunk's own length.</returns>
    public static int? TryEncode(
        ElementType type,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed,
        Span<byte> body,
        ZstdStage zstd,
        Span<byte> output
    )
    {
        StepKind kind = StepKinds.Of(type);
        return type.UnitBytes() switch
        {
            1 => TryEncode(kind, before, after, changed, body, zstd, output),
            2 => TryEncode(kind, Units<ushort>(before), Units<ushort>(after), changed, body, zstd, output),
            4 => TryEncode(kind, Units<uint>(before), Units<uint>(after), changed, body, zstd, output),
            _ => TryEncode(kind, Units<ulong>(before), Units<ulong>(after), changed, body, zstd, output),
        };
    }

    /// <summary>Applies a payload in place.</summary>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    public static void Apply(ElementType type, ReadOnlySpan<byte> payload, Span<byte> bytes, Span<byte> body, ZstdStage zstd, bool backward)
    {
        StepKind kind = StepKinds.Of(type);
        switch (type.UnitBytes())
        {
            case 1:
                Apply(kind, payload, bytes, body, zstd, backward);
                break;
            case 2:
                Apply(kind, payload, MemoryMarshal.Cast<byte, ushort>(bytes), body, zstd, backward);
                break;
            case 4:
                Apply(kind, payload, MemoryMarshal.Cast<byte, uint>(bytes), body, zstd, backward);
                break;
            default:
                Apply(kind, payload, MemoryMarshal.Cast<byte, ulong>(bytes), body, zstd, backward);
                break;
        }
    }

    private static ReadOnlySpan<T> Units<T>(ReadOnlySpan<byte> bytes)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(bytes);
}
