using System.Buffers.Binary;
using System.Numerics;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Reads what <see cref="BitWriter"/> wrote. Hostile input: behind the end stand zeros, and every read that ends behind it throws.
/// </summary>
internal ref struct BitReader(ReadOnlySpan<byte> payload)
{
    /// <summary>Valid bits of <see cref="Window"/>, whatever the position.</summary>
    public const int WindowBits = 57;

    private readonly ReadOnlySpan<byte> payload = payload;
    private long position;

    /// <summary>Bits read so far.</summary>
    public readonly long Position => position;

    /// <summary>Bits of the payload.</summary>
    private readonly long Length => payload.Length * 8L;

    /// <summary>The next bits, the first one lowest; <see cref="WindowBits"/> of them are valid.</summary>
    public readonly ulong Window()
    {
        int start = (int)(position >> 3);
        ulong bits = start <= payload.Length - 8 ? BinaryPrimitives.ReadUInt64LittleEndian(payload[start..]) : Tail(start);
        return bits >> (int)(position & 7);
    }

    /// <summary>Steps over bits.</summary>
    /// <exception cref="CheckpointException">JournalDamaged: the payload ends before.</exception>
    public void Skip(long count)
    {
        position += count;
        if (position > Length)
        {
            CodecDamage.Throw("it ends in the middle");
        }
    }

    /// <summary>Reads 0 to 56 bits.</summary>
    public ulong Read(int count)
    {
        ulong value = Window() & ((1UL << count) - 1);
        Skip(count);
        return value;
    }

    /// <summary>Reads one bit.</summary>
    public bool ReadBit() => Read(1) != 0;

    /// <summary>Reads a bit string into whole words.</summary>
    public void ReadString(Span<ulong> bits, int length)
    {
        for (int word = 0; length > 0; word++, length -= 64)
        {
            int low = Math.Min(length, 32);
            int high = Math.Clamp(length - 32, 0, 32);
            bits[word] = Read(low) | (Read(high) << 32);
        }
    }

    /// <summary>Reads zeros up to a one.</summary>
    /// <param name="most">The largest value that can be meant.</param>
    /// <returns>How many zeros.</returns>
    public uint ReadUnary(uint most)
    {
        uint zeros = 0;
        while (true)
        {
            int run = BitOperations.TrailingZeroCount(Window() | (1UL << WindowBits));
            zeros += (uint)run;
            if (zeros > most)
            {
                CodecDamage.Throw("a run is longer than the chunk");
            }

            if (run < WindowBits)
            {
                Skip(run + 1);
                return zeros;
            }

            Skip(run);
        }
    }

    /// <summary>Reads a difference near zero.</summary>
    public int ReadDifference()
    {
        uint value = ReadUnary(64);
        return (int)(value >> 1) ^ -(int)(value & 1);
    }

    /// <summary>Reads a count.</summary>
    /// <param name="most">The largest value that can be meant; at most 2^28.</param>
    public int ReadCount(int most)
    {
        uint value = 0;
        for (int shift = 0; shift < 28; shift += 4)
        {
            uint group = (uint)Read(5);
            value |= (group & 15) << shift;
            if (group < 16)
            {
                break;
            }
        }

        if (value > (uint)most)
        {
            CodecDamage.Throw("a count is larger than the chunk");
        }

        return (int)value;
    }

    /// <summary>Checks that nothing but the filling of the last byte is left.</summary>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    public readonly void Finish()
    {
        if ((position + 7) / 8 != payload.Length || (Window() & 0x7f) != 0)
        {
            CodecDamage.Throw("it is longer than what it says");
        }
    }

    private readonly ulong Tail(int start)
    {
        ulong bits = 0;
        for (int at = payload.Length - 1; at >= start; at--)
        {
            bits = (bits << 8) | payload[at];
        }

        return bits;
    }
}
