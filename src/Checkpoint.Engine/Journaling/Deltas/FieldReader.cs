using System.Buffers.Binary;
using System.Text;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Deltas;

/// <summary>Reads what <see cref="FieldWriter"/> wrote, as hostile input: no read leaves the bytes, no number is believed.</summary>
internal ref struct FieldReader
{
    private readonly ReadOnlySpan<byte> bytes;
    private readonly string path;
    private int position;

    /// <param name="bytes">The fields.</param>
    /// <param name="path">The file they come from, for messages.</param>
    internal FieldReader(ReadOnlySpan<byte> bytes, string path)
    {
        this.bytes = bytes;
        this.path = path;
    }

    /// <summary>Bytes not read yet.</summary>
    internal readonly int Left => bytes.Length - position;

    internal ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > Left)
        {
            throw Damaged("ends too early");
        }

        position += count;
        return bytes.Slice(position - count, count);
    }

    internal byte Byte() => Take(1)[0];

    internal ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    internal uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    internal ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    internal Digest128 U128() => Digest128.Read(Take(16));

    /// <summary>A number that must not be negative and not exceed a bound; below 0 the bound leaves no number at all.</summary>
    internal long Bounded(ulong value, long max, string what) =>
        max >= 0 && value <= (ulong)max ? (long)value : throw Damaged($"says {what} is {value}, at most {max} is possible");

    internal ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Byte();
            ulong bits = next & 0x7Fu;
            if (shift == 63 && bits > 1)
            {
                break;
            }

            value |= bits << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Damaged("holds a number of more than 64 bits");
    }

    internal long Zigzag()
    {
        ulong value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    internal string Text(int maxBytes)
    {
        int length = (int)Bounded(Varint(), maxBytes, "the length of a text");
        return Encoding.UTF8.GetString(Take(length));
    }

    /// <summary>Nothing may be left over.</summary>
    internal readonly void End()
    {
        if (Left != 0)
        {
            throw Damaged($"has {Left} bytes too many");
        }
    }

    internal readonly CheckpointException Damaged(string what) => DeltaFormat.Damaged(path, what);
}
