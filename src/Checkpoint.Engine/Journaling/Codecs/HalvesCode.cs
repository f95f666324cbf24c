using System.Buffers.Binary;
using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// The halves form of the gap code, for singles on disk that follow a bf16 in the producer's memory. Their upper halves are bf16 and
/// change as such, so they take a class code; their lower halves are lost once, at an element's first change, and take a gap code.
/// <code>
/// form byte 2 · u32 bytes of the class code · class code of the upper halves · gap code of the lower halves, absent if none changed
/// </code>
/// </summary>
internal static class HalvesCode
{
    /// <summary>The form byte.</summary>
    public const byte Form = 2;

    // Form byte and length.
    private const int HeaderBytes = 5;

    /// <summary>Where halves lie while the class code works on 16-bit elements: it uses the lower half of these arrays alone.</summary>
    private const int HalvesOffset = ChunkLayout.MaxBytes / 2 + 512;

    /// <summary>Codes a chunk of singles into <see cref="WorkArrays.Output"/>.</summary>
    /// <returns>Bytes written, or null when another encoding must be shorter.</returns>
    public static int? TryEncode(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, WorkArrays arrays, IClassPath path, ZstdStage zstd)
    {
        ReadOnlySpan<uint> old = MemoryMarshal.Cast<byte, uint>(before);
        ReadOnlySpan<uint> now = MemoryMarshal.Cast<byte, uint>(after);
        Span<ushort> oldHalves = Halves(arrays.Body[HalvesOffset..], old.Length);
        Span<ushort> nowHalves = Halves(arrays.ThirdOutput[HalvesOffset..], old.Length);
        Take(old, 16, oldHalves);
        Take(now, 16, nowHalves);
        Span<byte> output = arrays.Output;
        Span<byte> classOutput = output.Slice(HeaderBytes, before.Length / 2 + 256);
        if (ClassCode.TryEncode<ushort>(FloatShape.BF16, oldHalves, nowHalves, arrays, path, classOutput) is not (int classBytes, _))
        {
            return null;
        }

        output[0] = Form;
        BinaryPrimitives.WriteInt32LittleEndian(output[1..], classBytes);
        oldHalves = Halves(arrays.Classes, old.Length);
        nowHalves = Halves(arrays.ChangeClasses, old.Length);
        Take(old, 0, oldHalves);
        Take(now, 0, nowHalves);
        int written = HeaderBytes + classBytes;
        if (oldHalves.SequenceEqual(nowHalves))
        {
            return written;
        }

        int? lower = GapCode.TryEncode<ushort>(
            StepKind.Xor,
            oldHalves,
            nowHalves,
            [(0, oldHalves.Length * sizeof(ushort))],
            arrays.Body,
            zstd,
            arrays.ThirdOutput
        );
        if (lower is not int lowerBytes)
        {
            return null;
        }

        arrays.ThirdOutput[..lowerBytes].CopyTo(output[written..]);
        return written + lowerBytes;
    }

    /// <summary>Applies a payload in place.</summary>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    public static void Apply(
        ReadOnlySpan<byte> payload,
        Span<byte> bytes,
        WorkArrays arrays,
        IClassPath path,
        ZstdStage zstd,
        bool backward
    )
    {
        int classBytes = payload.Length < HeaderBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(payload[1..]);
        if (classBytes < 0 || classBytes > payload.Length - HeaderBytes)
        {
            CodecDamage.Throw("its upper halves end behind it");
        }

        Span<uint> singles = MemoryMarshal.Cast<byte, uint>(bytes);
        Span<ushort> halves = Halves(arrays.ThirdOutput[HalvesOffset..], singles.Length);
        Take(singles, 16, halves);
        ClassCode.Apply(FloatShape.BF16, payload.Slice(HeaderBytes, classBytes), halves, arrays, path, backward);
        Put(halves, 16, singles);
        ReadOnlySpan<byte> lower = payload[(HeaderBytes + classBytes)..];
        if (!lower.IsEmpty)
        {
            halves = Halves(arrays.Classes, singles.Length);
            Take(singles, 0, halves);
            GapCode.Apply(StepKind.Xor, lower, halves, arrays.Body, zstd, backward);
            Put(halves, 0, singles);
        }
    }

    private static Span<ushort> Halves(Span<byte> bytes, int count) => MemoryMarshal.Cast<byte, ushort>(bytes)[..count];

    private static void Take(ReadOnlySpan<uint> singles, int shift, Span<ushort> halves)
    {
        for (int index = 0; index < halves.Length; index++)
        {
            halves[index] = (ushort)(singles[index] >> shift);
        }
    }

    private static void Put(ReadOnlySpan<ushort> halves, int shift, Span<uint> singles)
    {
        uint kept = 0xffff_0000 >> shift;
        for (int index = 0; index < halves.Length; index++)
        {
            singles[index] = (singles[index] & kept) | ((uint)halves[index] << shift);
        }
    }
}
