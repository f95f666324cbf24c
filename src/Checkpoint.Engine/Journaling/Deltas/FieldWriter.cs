using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>Writes the fields of our formats, little-endian; <see cref="FieldReader"/> reads them back.</summary>
internal sealed class FieldWriter
{
    private readonly ArrayBufferWriter<byte> buffer = new();

    /// <summary>What was written so far.</summary>
    internal ReadOnlySpan<byte> Written => buffer.WrittenSpan;

    internal void Byte(byte value) => buffer.Write([value]);

    internal void Bytes(ReadOnlySpan<byte> value) => buffer.Write(value);

    internal void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(buffer.GetSpan(2), value);
        buffer.Advance(2);
    }

    internal void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.GetSpan(4), value);
        buffer.Advance(4);
    }

    internal void U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(buffer.GetSpan(8), value);
        buffer.Advance(8);
    }

    internal void I64(long value) => U64((ulong)value);

    internal void U128(Digest128 value)
    {
        value.Write(buffer.GetSpan(16));
        buffer.Advance(16);
    }

    /// <summary>LEB128: seven bits a byte, low first, the top bit says that more follow; 1 to 10 bytes.</summary>
    internal void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            Byte((byte)(value | 0x80));
        }

        Byte((byte)value);
    }

    /// <summary>A signed number as varint: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...</summary>
    internal void Zigzag(long value) => Varint((ulong)((value << 1) ^ (value >> 63)));

    /// <summary>Varint length in bytes, then UTF-8.</summary>
    internal void Text(string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        Varint((ulong)bytes.Length);
        Bytes(bytes);
    }
}
