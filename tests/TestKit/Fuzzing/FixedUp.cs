using System.Buffers.Binary;
using System.IO.Hashing;
using ApolloCheckpoint.Engine;
using ApolloCheckpoint.Engine.Journaling.Deltas;

namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>Spoils our own formats and then makes their checksums true again, as whoever means harm would.</summary>
internal static class FixedUp
{
    /// <summary>A spoilt delta: one of its parts is changed, and the trailer says the lengths and checksums of what is there now.</summary>
    internal static byte[] Delta(byte[] file, Random random)
    {
        if (random.Next(6) == 0 || TryTrailer(file) is not { } trailer)
        {
            return Havoc.Spoil(file, random);
        }

        int headerAt = (int)trailer.HeaderOffset;
        byte[] payloads = file[..headerAt];
        byte[] header = file[headerAt..(headerAt + trailer.HeaderBytes)];
        byte[] index = file[(headerAt + trailer.HeaderBytes)..^DeltaFormat.TrailerBytes];
        switch (random.Next(4))
        {
            case 0:
                // The prologue stays, or nothing behind it is looked at.
                payloads =
                [
                    .. payloads.AsSpan(0, DeltaFormat.PrologueBytes),
                    .. Havoc.Spoil(payloads.AsSpan(DeltaFormat.PrologueBytes), random),
                ];
                break;
            case 1:
                header = Havoc.Spoil(header, random);
                break;
            default:
                index = Havoc.Spoil(index, random);
                break;
        }

        DeltaTrailer spoilt = new(
            payloads.Length,
            header.Length,
            index.Length,
            XxHash3.HashToUInt64(header),
            XxHash3.HashToUInt64(index),
            XxHash3.HashToUInt64(payloads)
        );
        return [.. payloads, .. header, .. index, .. DeltaFormat.WriteTrailer(spoilt)];
    }

    /// <summary>A file whose last bytes before <paramref name="tail"/> are the xxh3-128 of everything before them.</summary>
    internal static byte[] Checksummed(byte[] file, int tail, Random random)
    {
        byte[] spoilt = Havoc.Spoil(file, random);
        int end = spoilt.Length - tail - 16;
        if (end >= 0 && random.Next(8) > 0)
        {
            file.AsSpan(file.Length - tail).CopyTo(spoilt.AsSpan(end + 16));
            BinaryPrimitives.WriteUInt128LittleEndian(spoilt.AsSpan(end), XxHash128.HashToUInt128(spoilt.AsSpan(0, end)));
        }

        return spoilt;
    }

    private static DeltaTrailer? TryTrailer(byte[] file)
    {
        try
        {
            return DeltaFormat.ReadTrailer(file.AsSpan(Math.Max(0, file.Length - DeltaFormat.TrailerBytes)), file.Length, "");
        }
        catch (CheckpointException)
        {
            return null;
        }
    }
}
