using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>The bytes of a pickle, read from front to back. Every length is compared with what is left before anything is allocated.</summary>
/// <param name="bytes">The pickle; what follows it may be there too.</param>
internal sealed class PickleBytes(ReadOnlyMemory<byte> bytes)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Bytes read so far.</summary>
    internal int Position { get; private set; }

    /// <summary>Bytes not yet read.</summary>
    internal int Left => bytes.Length - Position;

    /// <summary>The next bytes.</summary>
    /// <exception cref="PickleException">There are not so many.</exception>
    internal ReadOnlySpan<byte> Take(ulong count)
    {
        ExpectLeft(count);
        ReadOnlySpan<byte> taken = bytes.Span.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    /// <summary>Checks that so many bytes are left, and takes none.</summary>
    /// <exception cref="PickleException">There are not so many.</exception>
    internal void ExpectLeft(ulong count)
    {
        if (count > (ulong)Left)
        {
            throw new PickleException($"has a pickle that wants {count} bytes at byte {Position}, where {Left} are left");
        }
    }

    /// <summary>One byte.</summary>
    internal byte U8() => Take(1)[0];

    /// <summary>Two bytes, little-endian.</summary>
    internal ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    /// <summary>Four bytes, little-endian, signed.</summary>
    internal int I32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    /// <summary>Four bytes, little-endian.</summary>
    internal uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    /// <summary>Eight bytes, little-endian.</summary>
    internal ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>A double, big-endian, as pickle has it.</summary>
    internal double Double() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    /// <summary>A two's complement number of that many bytes: a long where it fits, else a BigInteger.</summary>
    internal object Long(ulong count)
    {
        BigInteger number = new(Take(count));
        // Boxed on both sides: the common type of long and BigInteger would be BigInteger.
        return number >= long.MinValue && number <= long.MaxValue ? (object)(long)number : number;
    }

    /// <summary>A text of that many bytes.</summary>
    /// <exception cref="PickleException">Not UTF-8.</exception>
    internal string Text(ulong count)
    {
        int start = Position;
        try
        {
            return Strict.GetString(Take(count));
        }
        catch (DecoderFallbackException)
        {
            throw new PickleException($"has a text at byte {start} of its pickle that is not UTF-8");
        }
    }

    /// <summary>A text that ends with a line feed, which is not part of it.</summary>
    internal string Line()
    {
        int length = bytes.Span[Position..].IndexOf((byte)'\n');
        if (length < 0)
        {
            throw new PickleException($"has a pickle whose line at byte {Position} has no end");
        }

        string line = Text((ulong)length);
        Position++;
        return line;
    }
}
