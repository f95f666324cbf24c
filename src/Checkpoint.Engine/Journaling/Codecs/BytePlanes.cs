namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// Byte planes: the first byte of every unit, then the second of every unit, and so on. Bytes of one significance look alike.
/// </summary>
internal static class BytePlanes
{
    /// <summary>Writes the planes of a.</summary>
    public static void Split(ReadOnlySpan<byte> a, int width, Span<byte> planes)
    {
        int units = a.Length / width;
        for (int plane = 0; plane < width; plane++)
        {
            Span<byte> to = planes.Slice(plane * units, units);
            for (int unit = 0, at = plane; unit < to.Length; unit++, at += width)
            {
                to[unit] = a[at];
            }
        }
    }

    /// <summary>Writes the planes of a XOR b.</summary>
    public static void SplitXor(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, int width, Span<byte> planes)
    {
        int units = a.Length / width;
        for (int plane = 0; plane < width; plane++)
        {
            Span<byte> to = planes.Slice(plane * units, units);
            for (int unit = 0, at = plane; unit < to.Length; unit++, at += width)
            {
                to[unit] = (byte)(a[at] ^ b[at]);
            }
        }
    }

    /// <summary>XORs planes into units.</summary>
    public static void Merge(ReadOnlySpan<byte> planes, int width, Span<byte> into)
    {
        int units = into.Length / width;
        for (int plane = 0; plane < width; plane++)
        {
            ReadOnlySpan<byte> from = planes.Slice(plane * units, units);
            for (int unit = 0, at = plane; unit < from.Length; unit++, at += width)
            {
                into[at] ^= from[unit];
            }
        }
    }
}
