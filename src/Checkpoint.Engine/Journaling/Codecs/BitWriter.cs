using System.Buffers.Binary;
using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Writes a bit stream, least significant bit of each byte first. Stores eight bytes at a time, so the buffer keeps
/// <see cref="Slack"/> bytes free behind the last bit; the caller asks <see cref="BitsLeft"/> before each part.
/// </summary>
internal ref struct BitWriter(Span<byte> buffer)
{
    /// <summary>Bytes of the buffer that are never promised.</summary>
    public const int Slack = 16;

    private readonly Span<byte> buffer = buffer;
    private ulong pending;
    private int bytes;
    private int used;

    /// <summary>Bits that may still be written; negative when the buffer was too small from the start.</summary>
    public readonly long BitsLeft => (buffer.Length - Slack - bytes) * 8L - used;

    /// <summary>Writes the lower bits of a value.</summary>
    /// <param name="value">Below 2^count.</param>
    /// <param name="count">0 to 56.</param>
    public void Write(ulong value, int count)
    {
        pending |= value << used;
        used += count;
        BinaryPrimitives.WriteUInt64LittleEndian(buffer[bytes..], pending);
        bytes += used >> 3;
        pending >>= used & ~7;
        used &= 7;
    }

    /// <summary>Writes the first bits of a bit string.</summary>
    public void WriteString(ReadOnlySpan<ulong> bits, int length)
    {
        int word = 0;
        for (; length >= 64; length -= 64, word++)
        {
            Write((uint)bits[word], 32);
            Write(bits[word] >> 32, 32);
        }

        if (length > 32)
        {
            Write((uint)bits[word], 32);
            Write((bits[word] >> 32) & ((1UL << (length - 32)) - 1), length - 32);
        }
        else if (length > 0)
        {
            Write(bits[word] & ((1UL << length) - 1), length);
        }
    }

    /// <summary>Writes as many zeros as the value says, then a one.</summary>
    public void WriteUnary(uint value)
    {
        for (; value >= 56; value -= 56)
        {
            Write(0, 56);
        }

        Write(1UL << (int)value, (int)value + 1);
    }

    /// <summary>Writes a difference near zero: 0, -1, 1, -2, ... as 0, 1, 2, 3, ... in unary.</summary>
    public void WriteDifference(int value) => WriteUnary((uint)((value << 1) ^ (value >> 31)));

    /// <summary>Writes a count in groups of four bits, lowest first, each with a bit that says whether more follow.</summary>
    public void WriteCount(uint value)
    {
        while (value >= 16)
        {
            Write((value & 15) | 16, 5);
            value >>= 4;
        }

        Write(value, 5);
    }

    /// <summary>Bits that <see cref="WriteCount"/> takes.</summary>
    public static int CountBits(uint value) => 5 * Math.Max(1, (35 - BitOperations.LeadingZeroCount(value)) / 4);

    /// <summary>Bits that <see cref="WriteDifference"/> takes.</summary>
    public static int DifferenceBits(int value) => (int)(uint)((value << 1) ^ (value >> 31)) + 1;

    /// <summary>Fills the last byte with zeros.</summary>
    /// <returns>Bytes written from the start of the buffer.</returns>
    public readonly int Finish() => bytes + (used + 7) / 8;
}
