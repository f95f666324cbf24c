namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>Numbers of seven bits a byte, lowest first; the top bit says that more follow.</summary>
internal static class Leb128
{
    /// <summary>Writes a number.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> output, int value)
    {
        int at = 0;
        uint rest = (uint)value;
        for (; rest >= 0x80; rest >>= 7)
        {
            output[at++] = (byte)(rest | 0x80);
        }

        output[at++] = (byte)rest;
        return at;
    }

    /// <summary>Reads a number of at most four bytes, 28 bits.</summary>
    /// <exception cref="CheckpointException">JournalDamaged: longer, or the input ends.</exception>
    public static int Read(ReadOnlySpan<byte> input, ref int at)
    {
        int value = 0;
        for (int shift = 0; shift < 28 && at < input.Length; shift += 7)
        {
            byte part = input[at++];
            value |= (part & 0x7f) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }

        throw CodecDamage.Because("a number has no end");
    }
}
