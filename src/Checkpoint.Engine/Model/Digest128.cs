using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;

namespace ApolloCheckpoint.Engine.Model;

/// <summary>
/// 128 bits that stand for bytes (an xxh3-128) or for a history. Two words and not a <see cref="UInt128"/>: methods that so much as touch
/// one of those cannot be compiled ahead of time, and every process would compile half of this program anew.
/// </summary>
/// <param name="High">The upper 64 bits.</param>
/// <param name="Low">The lower 64 bits.</param>
public readonly record struct Digest128(ulong High, ulong Low)
{
    /// <summary>Bytes that it takes in a file.</summary>
    public const int ByteLength = 16;

    /// <summary>The xxh3-128 of some bytes (seed 0).</summary>
    public static Digest128 Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> canonical = stackalloc byte[ByteLength];
        XxHash128.Hash(bytes, canonical);
        return FromCanonical(canonical);
    }

    /// <summary>The xxh3-128 of what was appended so far.</summary>
    public static Digest128 Of(XxHash128 hash)
    {
        ArgumentNullException.ThrowIfNull(hash);
        Span<byte> canonical = stackalloc byte[ByteLength];
        hash.GetCurrentHash(canonical);
        return FromCanonical(canonical);
    }

    /// <summary>Reads it as files hold it: little-endian.</summary>
    public static Digest128 Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(source[8..]), BinaryPrimitives.ReadUInt64LittleEndian(source));

    /// <summary>Writes it as files hold it: little-endian.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, Low);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], High);
    }

    /// <summary>32 hexadecimal digits, as in state.json and as hooks publish a root.</summary>
    public override string ToString() =>
        High.ToString("x16", CultureInfo.InvariantCulture) + Low.ToString("x16", CultureInfo.InvariantCulture);

    // The specification's order of bytes: big-endian (xxhash_spec.md, "Canonical representation").
    private static Digest128 FromCanonical(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
}
