using System.Numerics;
using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Journaling.Deltas;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// The plain form of the gap code (<see cref="ChunkEncoding.GapCode"/>): how many units lie between two changes, and each change's
/// step; for every element type.
/// <code>
/// form byte · LEB128 number of changes · LEB128 bytes of all gaps · body, raw or one zstd frame
/// body: LEB128 gaps · byte planes of the steps
/// </code>
/// </summary>
internal static partial class GapCode
{
    // A gap of less than 2^21 units takes at most three bytes.
    private const int MostGapBytes = 3;

    private const int NearUnits = 8;

    /// <summary>Codes a chunk.</summary>
    /// <param name="kind">What a step is.</param>
    /// <param name="before">The chunk.</param>
    /// <param name="after">The chunk as it becomes.</param>
    /// <param name="changed">Offset and length, bytes, ascending and apart: outside of these ranges both are equal.</param>
    /// <param name="body">Work array.</param>
    /// <param name="zstd">Packs.</param>
    /// <param name="output">At least as long as the work array, and 16 bytes.</param>
    /// <returns>Bytes written, or null when the body passes the chunk's own length.</returns>
    public static int? TryEncode<T>(
        StepKind kind,
        ReadOnlySpan<T> before,
        ReadOnlySpan<T> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed,
        Span<byte> body,
        ZstdStage zstd,
        Span<byte> output
    )
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        int width = T.Zero.GetByteCount();
        int limit = before.Length * width;
        int changes = 0;
        int gapBytes = 0;
        int next = 0;
        foreach ((int Offset, int Length) range in changed)
        {
            (int first, int end) = DirtyPages.Units(range, width);
            for (int index = NextChange(before, after, first, end); index < end; index = NextChange(before, after, next, end))
            {
                if (gapBytes + MostGapBytes + (changes + 1L) * width > limit + 64)
                {
                    return null;
                }

                gapBytes += Leb128.Write(body[gapBytes..], index - next);
                next = index + 1;
                changes++;
            }
        }

        WriteSteps(kind, before, after, changed, body.Slice(gapBytes, changes * width), changes);
        int at = 1 + Leb128.Write(output[1..], changes);
        at += Leb128.Write(output[at..], gapBytes);
        (output[0], int packed) = zstd.Pack(body[..(gapBytes + changes * width)], output[at..]);
        return at + packed;
    }

    /// <summary>Applies a payload in place.</summary>
    /// <exception cref="CheckpointException">JournalDamaged.</exception>
    public static void Apply<T>(StepKind kind, ReadOnlySpan<byte> payload, Span<T> units, Span<byte> body, ZstdStage zstd, bool backward)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        int width = T.Zero.GetByteCount();
        int at = 1;
        int changes = Leb128.Read(payload, ref at);
        int gapBytes = Leb128.Read(payload, ref at);
        if (changes > units.Length || gapBytes > body.Length || gapBytes + (long)changes * width > body.Length)
        {
            CodecDamage.Throw("a count is larger than the chunk");
        }

        body = body[..(gapBytes + changes * width)];
        zstd.Unpack(payload[0], payload[at..], body);
        ReadOnlySpan<byte> gaps = body[..gapBytes];
        ReadOnlySpan<byte> planes = body[gapBytes..];
        long next = 0;
        at = 0;
        for (int index = 0; index < changes; index++)
        {
            long position = next + Leb128.Read(gaps, ref at);
            if (position >= units.Length)
            {
                CodecDamage.Throw("a position lies behind the end");
            }

            ref T unit = ref units[(int)position];
            unit = Move(kind, unit, ReadStep<T>(planes, index, changes), backward);
            next = position + 1;
        }

        if (at != gapBytes)
        {
            CodecDamage.Throw("it has more gaps than changes");
        }
    }

    private static void WriteSteps<T>(
        StepKind kind,
        ReadOnlySpan<T> before,
        ReadOnlySpan<T> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed,
        Span<byte> planes,
        int changes
    )
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        int width = T.Zero.GetByteCount();
        int written = 0;
        foreach ((int Offset, int Length) range in changed)
        {
            (int first, int end) = DirtyPages.Units(range, width);
            for (int index = NextChange(before, after, first, end); index < end; index = NextChange(before, after, index + 1, end))
            {
                ulong step = ulong.CreateTruncating(Step(kind, before[index], after[index]));
                for (int at = written++; at < planes.Length; at += changes, step >>= 8)
                {
                    planes[at] = (byte)step;
                }
            }
        }
    }

    /// <summary>The first change at or behind a place, or the end. Near ones one by one, far ones by vectors.</summary>
    private static int NextChange<T>(ReadOnlySpan<T> before, ReadOnlySpan<T> after, int from, int end)
        where T : unmanaged, IBinaryInteger<T>
    {
        int near = Math.Min(end, from + NearUnits);
        for (; from < near; from++)
        {
            if (before[from] != after[from])
            {
                return from;
            }
        }

        return from + before[from..end].CommonPrefixLength(after[from..end]);
    }

    private static T ReadStep<T>(ReadOnlySpan<byte> planes, int index, int changes)
        where T : unmanaged, IBinaryInteger<T>
    {
        ulong step = 0;
        for (int at = index, shift = 0; at < planes.Length; at += changes, shift += 8)
        {
            step |= (ulong)planes[at] << shift;
        }

        return T.CreateTruncating(step);
    }

    private static T Step<T>(StepKind kind, T before, T after)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T> =>
        kind switch
        {
            StepKind.Xor => before ^ after,
            StepKind.Difference => after - before,
            _ => Key(after) - Key(before),
        };

    private static T Move<T>(StepKind kind, T unit, T step, bool backward)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        if (kind == StepKind.Xor)
        {
            return unit ^ step;
        }

        T signed = backward ? T.Zero - step : step;
        return kind == StepKind.Difference ? unit + signed : Key(Key(unit) + signed);
    }

    /// <summary>The key of a float, and the float of a key.</summary>
    private static T Key<T>(T bits)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        T largest = T.MaxValue >> 1;
        return bits > largest ? bits ^ largest : bits;
    }
}
