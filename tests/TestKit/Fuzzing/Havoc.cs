using System.Buffers.Binary;

namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>Spoils bytes without knowing what they are: the mutations of AFL's havoc stage.</summary>
public static class Havoc
{
    private const int MostBytes = 1 << 20;

    private static readonly long[] Numbers =
    [
        0,
        1,
        -1,
        2,
        7,
        16,
        63,
        64,
        127,
        128,
        255,
        256,
        4095,
        4096,
        short.MaxValue,
        ushort.MaxValue,
        int.MaxValue,
        int.MinValue,
        uint.MaxValue,
        1L << 32,
        (1L << 31) + 1,
        1L << 40,
        long.MaxValue,
        long.MinValue,
        long.MaxValue - 7,
    ];

    /// <summary>A number that breaks things: borders of the integer types and their neighbours.</summary>
    public static long Number(Random random) => Numbers[random.Next(Numbers.Length)] + (random.Next(4) == 0 ? random.Next(-2, 3) : 0);

    /// <summary>A spoilt copy, at most 1 MiB.</summary>
    public static byte[] Spoil(ReadOnlySpan<byte> bytes, Random random)
    {
        byte[] spoilt = bytes.ToArray();
        for (int rounds = 1 + random.Next(1 + random.Next(8)); rounds > 0; rounds--)
        {
            spoilt = Once(spoilt, random);
        }

        return spoilt;
    }

    /// <summary>Replaces a range by other bytes.</summary>
    public static byte[] Splice(ReadOnlySpan<byte> bytes, int start, int length, ReadOnlySpan<byte> other)
    {
        byte[] spliced = new byte[bytes.Length - length + other.Length];
        bytes[..start].CopyTo(spliced);
        other.CopyTo(spliced.AsSpan(start));
        bytes[(start + length)..].CopyTo(spliced.AsSpan(start + other.Length));
        return spliced.Length <= MostBytes ? spliced : spliced[..MostBytes];
    }

    private static byte[] Once(byte[] bytes, Random random)
    {
        if (bytes.Length == 0)
        {
            return [(byte)random.Next(256)];
        }

        int at = random.Next(bytes.Length);
        int length = 1 + random.Next(Math.Min(bytes.Length - at, 1 << random.Next(10)));
        switch (random.Next(10))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                bytes[at] = (byte)(bytes[at] + random.Next(-8, 9));
                return bytes;
            case 3 or 4:
                WriteNumber(bytes.AsSpan(at), random);
                return bytes;
            case 5:
                bytes.AsSpan(at, length).Fill((byte)random.Next(256));
                return bytes;
            case 6:
                return Splice(bytes, at, length, []);
            case 7:
                return Splice(bytes, random.Next(bytes.Length + 1), 0, bytes.AsSpan(at, length));
            case 8:
                bytes.AsSpan(random.Next(bytes.Length - length + 1), length).CopyTo(bytes.AsSpan(at, length));
                return bytes;
            default:
                return random.Next(8) == 0 ? bytes[..at] : Splice(bytes, at, 0, RandomBytes(random, length));
        }
    }

    private static void WriteNumber(Span<byte> place, Random random)
    {
        Span<byte> number = stackalloc byte[8];
        if (random.Next(4) == 0)
        {
            BinaryPrimitives.WriteInt64BigEndian(number, Number(random));
        }
        else
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, Number(random));
        }

        int width = Math.Min(place.Length, 1 << random.Next(4));
        number[..width].CopyTo(place);
    }

    private static byte[] RandomBytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
