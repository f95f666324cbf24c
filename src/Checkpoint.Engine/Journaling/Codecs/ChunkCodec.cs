using System.Numerics;
using System.Runtime.InteropServices;
using ApolloCheckpoint.Engine.Diffing;
using ApolloCheckpoint.Engine.Journaling.Deltas;
using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>
/// The codec of the engine: takes the encoding that is smallest, leaving out those that cannot be. Which ones are tried depends on
/// the types and on sizes alone, so equal arguments give equal bytes on every machine.
/// </summary>
internal sealed class ChunkCodec : IChunkCodec
{
    /// <summary>
    /// From how few changes on, one in so many units, the gap code is taken at once. The class code looks at every unit, on either way
    /// and at every fold, to save a byte or two a change; so far apart, that is under a fiftieth of a percent of the chunk.
    /// </summary>
    private const int SparseUnits = 8192;

    private readonly WorkArrays arrays = new();
    private readonly ZstdStage zstd = new();
    private readonly IClassPath path;

    /// <summary>A codec with the fastest path of this processor.</summary>
    public ChunkCodec()
        : this(useVectors: VectorSupport.IsFast) { }

    /// <summary>A codec with a chosen path; tests compare the two.</summary>
    /// <param name="useVectors">Whether to use vectors; only where <see cref="VectorSupport.IsFast"/>.</param>
    public ChunkCodec(bool useVectors)
    {
        path = useVectors ? new VectorPath(arrays) : new ScalarPath(arrays);
    }

    /// <inheritdoc/>
    public EncodedChunk Encode(
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        scoped ReadOnlySpan<(int Offset, int Length)> changed
    )
    {
        Require(diskType, before.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(after.Length, before.Length);
        int width = diskType.UnitBytes();
        scoped Changes changes = new(BlockDiffer.CountChanged(before, after, width, changed), changed);
        bool isSparse = changes.Count <= before.Length / width / SparseUnits;
        if (!isSparse && ClassShape(diskType, liveType) is FloatShape shape)
        {
            return shape.Width == 16
                ? EncodeClasses<ushort>(shape, diskType, before, after, changes)
                : EncodeClasses<uint>(shape, diskType, before, after, changes);
        }

        return !isSparse && diskType == ElementType.F32 && liveType == ElementType.BF16
            ? EncodeHalves(before, after, changes)
            : EncodeUnits(diskType, before, after, changes);
    }

    /// <inheritdoc/>
    public EncodedChunk EncodeRepair(ElementType diskType, ReadOnlySpan<byte> after)
    {
        Require(diskType, after.Length);
        int width = diskType.UnitBytes();
        int bytes = DenseCode.EncodeRepair(width, after, arrays.Body, zstd, arrays.Output);
        return new EncodedChunk(ChunkEncoding.Repair, arrays.Output.AsSpan(0, bytes), after.Length / width);
    }

    /// <inheritdoc/>
    public void Apply(
        ChunkEncoding encoding,
        ElementType diskType,
        ElementType liveType,
        ReadOnlySpan<byte> payload,
        Span<byte> bytes,
        bool backward
    )
    {
        Require(diskType, bytes.Length);
        switch (encoding)
        {
            case ChunkEncoding.ClassCode when FloatShape.Of(diskType) is FloatShape { Width: 16 } shape:
                ClassCode.Apply(shape, payload, MemoryMarshal.Cast<byte, ushort>(bytes), arrays, path, backward);
                break;
            case ChunkEncoding.ClassCode when FloatShape.Of(diskType) is FloatShape shape:
                ClassCode.Apply(shape, payload, MemoryMarshal.Cast<byte, uint>(bytes), arrays, path, backward);
                break;
            case ChunkEncoding.GapCode when diskType == ElementType.F32 && payload is [HalvesCode.Form, ..]:
                HalvesCode.Apply(payload, bytes, arrays, path, zstd, backward);
                break;
            case ChunkEncoding.GapCode:
                GapCode.Apply(diskType, payload, bytes, arrays.Body, zstd, backward);
                break;
            case ChunkEncoding.Dense:
                DenseCode.Apply(diskType.UnitBytes(), payload, bytes, arrays.Body, zstd);
                break;
            case ChunkEncoding.Repair when !backward:
                bytes.Clear();
                DenseCode.Apply(diskType.UnitBytes(), payload, bytes, arrays.Body, zstd);
                break;
            default:
                throw CodecDamage.Because($"encoding {(int)encoding} does not fit its type or direction");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => zstd.Dispose();

    /// <summary>
    /// The shape to code by, or null where the class code cannot be small: types without an exponent, and singles that follow a
    /// narrower live type, whose changes are multiples of 2^13 or 2^16 units.
    /// </summary>
    private static FloatShape? ClassShape(ElementType diskType, ElementType liveType) =>
        diskType == ElementType.F32 && liveType is ElementType.BF16 or ElementType.F16 ? null : FloatShape.Of(diskType);

    private EncodedChunk EncodeClasses<T>(
        FloatShape shape,
        ElementType type,
        ReadOnlySpan<byte> before,
        ReadOnlySpan<byte> after,
        scoped Changes changed
    )
        where T : unmanaged, IBinaryInteger<T>
    {
        Span<byte> output = arrays.Output.AsSpan(0, before.Length + 256);
        (int Bytes, int Changes)? coded = ClassCode.TryEncode(
            shape,
            MemoryMarshal.Cast<byte, T>(before),
            MemoryMarshal.Cast<byte, T>(after),
            arrays,
            path,
            output
        );
        if (coded is not (int bytes, int changes))
        {
            return EncodeUnits(type, before, after, changed);
        }

        // Real changes take 4 to 10 bits. Where they take more, bytes may repeat (a lattice, a fill), which only zstd sees.
        if (bytes * 8L <= changes * 16L + 512)
        {
            return new EncodedChunk(ChunkEncoding.ClassCode, output[..bytes], changes);
        }

        EncodedChunk other = EncodeUnits(type, before, after, changed);
        return other.Payload.Length < bytes ? other : new EncodedChunk(ChunkEncoding.ClassCode, output[..bytes], changes);
    }

    private EncodedChunk EncodeHalves(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, scoped Changes changed)
    {
        int changes = changed.Count;
        int bytes = HalvesCode.TryEncode(before, after, arrays, path, zstd) ?? int.MaxValue;

        // As above, and 24 bits for a lower half that is lost.
        if (bytes <= changes * 5L + 64)
        {
            return new EncodedChunk(ChunkEncoding.GapCode, arrays.Output.AsSpan(0, bytes), changes);
        }

        EncodedChunk other = EncodeUnits(ElementType.F32, before, after, changed);
        return other.Payload.Length < bytes ? other : new EncodedChunk(ChunkEncoding.GapCode, arrays.Output.AsSpan(0, bytes), changes);
    }

    /// <summary>
    /// The smaller of gap code and dense: the gap code up to a quarter of the units, dense from 1/32 on (a zstd of all bytes costs
    /// more time than all else).
    /// </summary>
    private EncodedChunk EncodeUnits(ElementType type, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, scoped Changes changed)
    {
        int width = type.UnitBytes();
        int changes = changed.Count;
        int units = before.Length / width;
        int? gapBytes =
            changes <= units / 4 || units < 64
                ? GapCode.TryEncode(type, before, after, changed.Ranges, arrays.Body, zstd, arrays.ThirdOutput)
                : null;
        if (gapBytes is int gaps && changes < units / 32)
        {
            return new EncodedChunk(ChunkEncoding.GapCode, arrays.ThirdOutput[..gaps], changes);
        }

        int dense = DenseCode.Encode(width, before, after, arrays.Body, zstd, arrays.SecondOutput);
        return gapBytes is int length && length <= dense
            ? new EncodedChunk(ChunkEncoding.GapCode, arrays.ThirdOutput[..length], changes)
            : new EncodedChunk(ChunkEncoding.Dense, arrays.SecondOutput[..dense], changes);
    }

    private static void Require(ElementType type, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, ChunkLayout.MaxBytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(bytes % type.UnitBytes(), 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes / type.UnitBytes(), ChunkLayout.MaxUnits);
    }

    /// <summary>How many units of a chunk differ, and where to look for them.</summary>
    private readonly ref struct Changes(int count, ReadOnlySpan<(int Offset, int Length)> ranges)
    {
        internal int Count { get; } = count;

        internal ReadOnlySpan<(int Offset, int Length)> Ranges { get; } = ranges;
    }
}
